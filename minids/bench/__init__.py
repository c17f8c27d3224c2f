"""Speed, measured in turns with a peer in one process: `minids bench`, `minids doctor`.

train, decode, text   beside transformers and tiktoken, on CPUs
kernels               the Triton kernels beside cuBLAS, torch and Liger-Kernel, on a GPU
suite                 runs them and prints one table
measure               how a speed is measured
doctor                what this machine can run
"""
