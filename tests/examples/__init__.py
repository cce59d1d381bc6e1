"""The examples of docs/testing: short tests of the pipeline's actors, each in one of the settings."""
