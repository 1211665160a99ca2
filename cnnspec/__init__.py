"""cnnspec: describe a convolutional network in a small file; check, measure, emit, build and train it."""

__version__ = "0.1.0"
