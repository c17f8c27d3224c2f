"""Fast forms of the model's functions: on a CPU (`cpu`, `linear`), and by Triton kernels on a GPU (`gpu`)."""
