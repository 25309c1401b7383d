"""The Jupyter side: kernel, IPython extension, displays, kernelspec. The only house that knows Jupyter."""
