"""A .cnn file as the networks that a person would have written with other tools."""
