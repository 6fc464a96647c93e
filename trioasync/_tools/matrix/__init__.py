"""compat_matrix.md: what holds on which Python, made from what the tests have written down."""
