"""Residual networks of pictures in the CIFAR form of He et al., as phases.

    conv 3 × 3, 16 – N – σ – n blocks of 16, n of 32, n of 64 channels – mean over cells – linear

The first block of the second and third stage has stride 2 and the shortcut of option A, which has
no parameters. Depth 6 n + 2 counts the layers with weights: n = 3 is ResNet-20.

Source: He, Zhang, Ren and Sun, Deep residual learning for image recognition, CVPR (2016), 4.2.
"""

from __future__ import annotations

from typing import Literal

from occore import InputError, Phase
from occore_convolution.average_pooling import AveragePooling
from occore_convolution.batch_normalisation import BatchNormalisation
from occore_convolution.convolution import Convolution
from occore_least_squares.linear import Linear
from occore_residual.convolution_block import ConvolutionBlock
from occore_residual.pointwise import PointwiseActivation
from occore_single_layer.flatten import Flatten

STAGES = (16, 32, 64)


def cifar_resnet(
    depth: int,
    picture: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    *,
    order: Literal["pre", "post"] = "post",
    plain: bool = False,
) -> tuple[Phase, ...]:
    """The phases of the network of this depth for pictures (height, width, channels).

    plain: without shortcuts. Raises InputError where no whole number of blocks has this depth.
    """
    blocks, rest = divmod(depth - 2, 2 * len(STAGES))
    if rest or blocks < 1:
        raise InputError(
            f"a depth is 2 and a multiple of {2 * len(STAGES)}, such as 20; got {depth}"
        )
    phases = [Phase("opening", Convolution(picture, STAGES[0], activation="identity", bias=False))]
    shape = (*picture[:2], STAGES[0])
    if order == "post":
        phases += _normalised("opening", shape)
    for stage, width in enumerate(STAGES):
        for k in range(blocks):
            changes = stage > 0 and k == 0
            block = ConvolutionBlock(
                shape,
                order=order,
                shortcut="none" if plain else "padded" if changes else "identity",
                normalisation="batch",
                bias=False,
                channels=width,
                stride=2 if changes else 1,
            )
            shape = block.output_shape
            phases.append(Phase(f"block_{stage + 1}_{k + 1}", block))
    if order == "pre":
        phases += _normalised("closing", shape)
    pooling = AveragePooling(shape, window=shape[0])
    flat = Flatten(pooling.output_shape)
    linear = Linear(flat.output_shape, classes, initialisation="glorot")
    ends = {"pooling": pooling, "features": flat, "classes": linear}
    return (*phases, *(Phase(name, dynamics) for name, dynamics in ends.items()))


def _normalised(name: str, shape: tuple[int, ...]) -> list[Phase]:
    """N and σ, as phases of their own."""
    return [
        Phase(f"{name}_normalised", BatchNormalisation(shape)),
        Phase(f"{name}_activated", PointwiseActivation("relu")),
    ]
