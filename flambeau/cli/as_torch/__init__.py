"""The folder that `flambeau run` puts on PYTHONPATH."""
