"""Fast versions of the hot path; each has a generic twin and a test that they agree."""
