"""The derivative ladder as a conformance suite over everything that is registered."""
