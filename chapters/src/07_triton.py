# %% [markdown]
# # 07 Triton
#
# **How does one write a program for 132 processors that all wait for memory, and how can a laptop tell whether it is
# right?**
#
# A GPU is fast only at what somebody has written a *kernel* for. Triton is the language in which most such kernels are
# written today: Python to look at, compiled to machine code for the GPU, and *interpreted* where there is none. In this
# chapter you write five kernels of this library, from a product of two matrices number by number to the block-scaled
# FP8 product on which DeepSeek-V3 was trained, and repair a sixth. All of them run here, on the CPU, one program after
# the other, with pictures of who reads and writes what. The same text, unchanged, is what runs on an H100.
#
# What the interpreter cannot say is how *fast* a kernel is. For that this chapter counts bytes and operations, which
# are the same everywhere, and compares them with the data sheet of an H100; measured times it shows only where a
# record of a real GPU is at hand.
#
# *Costs about 10 CPU-seconds and under 1 GiB, no GPU. Needs chapter 02 (SwiGLU and RMSNorm) and chapter 06 (FP8,
# blocks and scales). Six exercises, 17 points, two to three hours. Triton runs on Linux (on Windows in WSL); elsewhere
# the chapter says what it leaves out.*

# %%
import os

os.environ["TRITON_INTERPRET"] = "1"  # before Triton is imported: kernels run here and not on a GPU

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from matplotlib.colors import ListedColormap

# %%
from minids.course import answers, catalog, check, memory_guard, play, show, start
from minids.kernels import gemm, quantise, rmsnorm, runtime, swiglu, tiled
from minids.kernels.runtime import tl, triton

start(7)
HERE = runtime.INTERPRETED  # whether kernels can run in this process
BACKEND = "triton" if HERE else "torch"
print("Kernels run in Triton's interpreter." if HERE else f"Kernels do not run here: {runtime.why_not(torch.empty(0))}."
      "\nThe pictures below stay empty, and the checks say that they cannot check.")

# %% [markdown]
# ## 1. One text, many programs
#
# A kernel is a function that is *launched*, many times at once. Each of these runs is called a **program**. All of them
# execute the same text on different data, and the only thing that tells them apart is their number,
# `tl.program_id(0)`. A program does not handle one number but a **block** of them: `tl.arange(0, BLOCK)` is a vector,
# and so is everything computed from it. What it gets as arguments are not tensors but **pointers**, addresses of the
# first number; the vector `x + i` holds one address for each lane of the block.
#
# The smallest example adds two vectors. `kernel[grid](…)` launches it; the grid says how many programs there are.


# %%
@triton.jit
def add_kernel(x, y, out, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)  # the numbers that this program owns
    inside = i < n  # the last program may own fewer
    total = tl.load(x + i, inside) + tl.load(y + i, inside)
    tl.store(out + i, total, inside)


def launch(kernel, grid, *args, **more):
    """kernel[grid](…), with notes of all that it touched. Without Triton nothing happens."""
    with memory_guard.only(*args, record=True) as seen:
        if HERE:
            kernel[grid](*args, **more)
    return seen


# %%
# NBVAL_CHECK_OUTPUT
n, BLOCK = 37, 16
x, y, out = torch.arange(n).float(), torch.full((n,), 100.0), torch.zeros(n)
seen = launch(add_kernel, (-(-n // BLOCK),), x, y, out, n, BLOCK=BLOCK)
print("right:", torch.equal(out, x + y))
print("written by program:", seen.program(out).tolist())

# %% [markdown]
# 37 numbers do not fill three blocks of 16. The third program has 11 lanes too many, and the **mask** `inside` keeps
# them still: a masked load gives 0 (or what you ask for) without looking at memory, a masked store does nothing.
#
# What if one forgets it? Memory does not end where a tensor ends; something else lies there. Below, `out` is followed
# by the numbers 7, 7, 7, … which belong to somebody else.


# %%
@triton.jit
def add_without_a_mask_kernel(x, y, out, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    tl.store(out + i, tl.load(x + i) + tl.load(y + i))


COLOURS = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442"]  # Okabe and Ito


def picture(ax, owner, names=True, size=8):
    """Which program wrote each number of a matrix: a colour for each, its number in the middle of its part."""
    ax.imshow((owner % 7).masked_fill(owner < 0, 7), cmap=ListedColormap([*COLOURS, "#dddddd"]), vmin=0, vmax=7,
              alpha=0.75, aspect="auto", interpolation="nearest")
    for program in owner[owner >= 0].unique().tolist() if names else ():
        row, column = (owner == program).nonzero().float().mean(0).tolist()
        ax.text(column, row, program, ha="center", va="center", fontsize=size)
    ax.grid(False)


# %%
fig, axes = plt.subplots(2, 1, figsize=(7, 2.6), sharex=True)
for ax, kernel, title in zip(axes, (add_kernel, add_without_a_mask_kernel), ("with a mask", "without")):
    memory = torch.full((64,), 7.0)  # `out` is the first 37 numbers of it
    room = torch.zeros(64)
    seen = launch(kernel, (3,), room, room, memory, n, BLOCK=BLOCK)
    picture(ax, seen.program(memory)[None])
    ax.axvline(n - 0.5, color="black", linewidth=2)
    ax.set(yticks=[], title=f"{title}: {int((memory[n:] != 7).sum())} numbers of somebody else were overwritten")
    ax.title.set_fontsize(9)
axes[1].set_xlabel("place in memory (out ends at the black line)")
show(fig, "Two strips of 64 numbers coloured by the program that wrote them: with a mask the programs 0, 1 and 2 stop "
          "at number 37, without one program 2 goes on to number 47.")

# %% [markdown]
# Nothing failed, nothing was reported: in the interpreter as on a GPU the numbers are simply gone. A tensor that
# happens to end on a whole block hides the mistake, and test data likes to have 1,024 rows. So this chapter's checks
# use ragged shapes, and put numbers behind every tensor that must not change.
#
# ### Nobody goes first
#
# The second mistake that a single program cannot make: to rely on an order. The kernel below moves every number one
# place to the right, *in place*. Program 1 needs the last number of program 0's block, as it was. Which of the two is
# faster? The interpreter runs them one after the other; we let it do so in both directions.


# %%
@triton.jit
def shift_in_place_kernel(x, n, BACKWARDS: tl.constexpr, BLOCK: tl.constexpr):
    program = tl.program_id(0)
    if BACKWARDS:
        program = tl.num_programs(0) - 1 - program
    i = program * BLOCK + tl.arange(0, BLOCK)
    before = tl.load(x + i - 1, (i > 0) & (i < n), 0.0)
    tl.store(x + i, before, i < n)


# %%
# NBVAL_CHECK_OUTPUT
want = torch.cat([torch.zeros(1), torch.arange(1.0, n)])
for backwards in (False, True):
    line = torch.arange(1.0, n + 1)
    launch(shift_in_place_kernel, (3,), line, n, BACKWARDS=backwards, BLOCK=BLOCK)
    wrong = (line != want).nonzero()[:, 0].tolist()
    print("last program first:" if backwards else "first program first:", f"wrong at {wrong}" if wrong else "right")

# %% [markdown]
# On a GPU both can happen, on the same day, in the same launch: programs run on 132 processors, in no promised order,
# and mostly at the same time. Such a **race** is right on small tests and wrong in production. The rule that prevents
# it: *every number has one owner, and nobody reads what another program of the same launch writes.* The interpreter
# lets races pass silently; what it can do is tell us who wrote what, and how often.
#
# ## 2. Two dimensions: SwiGLU
#
# A matrix in memory is one long row. Element $[m, k]$ lies at `start + m * row + k`, where `row`, the **stride**, is
# the distance from one row to the next: the number of columns, or more if the matrix is a part of a wider one. A
# program takes a **tile** of `ROWS` x `COLS` numbers. Vectors for rows `[:, None]` and for columns `[None, :]` make a
# tile of addresses, as broadcasting does in torch.


# %%
def owners(M, F, ROWS, COLS):
    """Which tile each number of a matrix lies in, tiles counted row by row."""
    return torch.arange(M)[:, None] // ROWS * -(-F // COLS) + torch.arange(F)[None, :] // COLS


def draw(ax, exponent):
    M, F, COLS = 12, 60, 2**exponent
    ROWS = 128 // COLS
    picture(ax, owners(M, F, ROWS, COLS))
    lanes = -(-M // ROWS) * -(-F // COLS) * 128
    ax.set(xlabel=f"tiles of {ROWS} x {COLS}: {100 * (1 - M * F / lanes):.0f} % of lanes idle", ylabel="row")


play(draw, exponent=(3, 7, 1), shown=[(3,), (5,), (7,)],
     alt="A matrix of 12 x 60 cut into tiles of 128 numbers: 16 x 8, 4 x 32, 1 x 128. Where they do not fit, between "
         "6 and 53 percent of the lanes are left without a number.")

# %% [markdown]
# Lanes without a number are wasted work, but that is the smaller matter. Memory is read in pieces of 32 bytes and more,
# so a tile should be wide rather than tall: its rows should hold many neighbours. And `tl.arange` takes powers of two
# only, so that tiles never fit every matrix, and masks are not an exception but the rule.
#
# Your first kernel is the product in the middle of a SwiGLU block, `silu(gate) * up`, where $\mathrm{silu}(g) = g \cdot
# \mathrm{sigmoid}(g)$ (Shazeer, arXiv 2002.05202, §2). Gate and up come out of *one* matrix product, so each is a slice
# of a wider matrix, with a stride that is not its number of columns.
#
# *Difficulty 1 · 2 points · 20 minutes.* The check launches your kernel on tensors with junk around them.
#
# <details><summary>Hint 1</summary>
#
# `m = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]` is a column of row numbers, [ROWS, 1]. Make a row of
# column numbers in the same way, from the grid's second axis. `(m < M) & (k < F)` is then a whole tile of conditions.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `tl.load(gate + m * gate_row + k, inside, 0.0).to(tl.float32)`: three arguments, the addresses, the mask, and what
# masked lanes get. Compute in float32, `tl.sigmoid(g)`, whatever the tensors hold.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# A pointer knows what it points to: `result.to(y.dtype.element_ty)` rounds to the type of y. The store needs the mask
# as much as the loads do.
#
# </details>

# %% exercise="triton.swiglu" points=2 minutes=20 difficulty=1
from minids.kernels.swiglu import swiglu_kernel

# %% [markdown]
# ### What fusing brings
#
# In plain torch the same takes two kernels: `silu(gate)` writes a tensor, which the product then reads again. Fused, it
# never exists. We count what crosses the memory bus: for the two steps on paper, for the kernel by looking at every
# load and store in the interpreter.

# %%
# NBVAL_CHECK_OUTPUT
M, F = 24, 100
both = torch.randn(M, 2 * F, generator=torch.Generator().manual_seed(1)).bfloat16()
gate, up = both.chunk(2, dim=1)  # slices, rows 200 apart
result = torch.empty(M, F, dtype=torch.bfloat16)
seen = launch(swiglu.swiglu_kernel, (6, 4), gate, up, result, M, F, 2 * F, 2 * F, ROWS=4, COLS=32)
loaded, stored = seen.bytes()
print(f"fused       {loaded:6} bytes loaded, {stored:5} stored")
steps = 2 * M * F * (1 + 1) + 2 * M * F * (2 + 1)
print(f"two steps   {steps:6} bytes in all: {steps / max(loaded + stored, 1):.2f} times as many")

# %% [markdown]
# Five tensors' worth of traffic has become three. The arithmetic is the same, and it hardly matters: in the time in
# which an H100 fetches one bfloat16 number, its ordinary units can do some forty operations (67 TFLOP/s in float32 and
# 3.35 TB/s, NVIDIA's data sheet), its tensor cores hundreds. **For everything that is not a matrix product, time is
# bytes**, and a kernel of one's own pays because it moves fewer of them.
#
# ## 3. A reduction: RMSNorm
#
# Now a kernel in which the numbers of a row meet: $y = w \cdot x / \sqrt{\mathrm{mean}(x^2) + \epsilon}$ (Zhang and
# Sennrich, arXiv 1910.07467, eq. 4). If a row were spread over several programs, they would have to wait for each
# other. So a program takes whole rows, `tl.sum(tile, 1)` adds up along the second axis and leaves one number a row, and
# nothing leaves the processor's registers in between. That is also the limit of this design: a row must fit.
#
# Lanes beyond the end of a row now do harm even before anything is stored: they take part in the sum. A masked load
# with 0 makes them harmless *for a sum*. For other reductions another number does: which one for a maximum? For a
# product?
#
# The kernel of the library does a little more. With a `residual` it first adds that, and keeps the sum `h`, which the
# next layer needs: again a tensor that would otherwise be written by one kernel and read by the next. `r` is kept for
# the backward pass. `if residual is not None:` is decided when the kernel is compiled, not while it runs.
#
# *Difficulty 2 · 3 points · 25 minutes*
#
# <details><summary>Hint 1</summary>
#
# Keep vectors and tiles apart: `m` [ROWS] and `k` [COLS] are vectors, `m[:, None] * H + k[None, :]` is a tile. `r` has
# one number a row: `tl.store(r + m, rstd, m < M)`.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `tl.sum(v * v, 1) / H`, not `/ COLS`: the lanes beyond H add nothing, and must not count either. `tl.rsqrt` is one
# over the square root.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# Rounding happens where the model rounds: h before it is normed; then x * r, before the weight comes; then y.
# `.to(y.dtype.element_ty).to(tl.float32)` rounds and goes on in float32.
#
# </details>

# %% exercise="triton.rms_norm" points=3 minutes=25 difficulty=2
from minids.kernels.rmsnorm import rms_norm_kernel

# %%
# NBVAL_CHECK_OUTPUT
M, H = 24, 100
x, residual = torch.randn(2, M, H, generator=torch.Generator().manual_seed(2)).bfloat16()
w, r = torch.ones(H, dtype=torch.bfloat16), torch.empty(M)
y, h = torch.empty_like(x), torch.empty_like(x)
sizes = {"ROWS": 8, "COLS": 128}
alone = launch(rmsnorm.rms_norm_kernel, (3,), x, None, w, y, None, r, M, H, H, 0, 1e-6, **sizes)
fused = launch(rmsnorm.rms_norm_kernel, (3,), x, residual, w, y, h, r, M, H, H, H, 1e-6, **sizes)
tensor = 2 * M * H
print(f"the norm alone            {sum(alone.bytes()) / tensor:.2f} tensors moved")
print(f"with the residual sum     {sum(fused.bytes()) / tensor:.2f}, in two kernels 5.00 and a little")
print("how often each number of y was written:", fused.stores(y).unique().tolist())

# %% [markdown]
# ## 4. Blocks with a scale: quantise
#
# Chapter 06 cut activations into blocks of 1x128 and gave each a scale: its largest absolute value over 448, the
# largest number of E4M3. As a kernel that is a reduction and an elementwise step in one: load a tile, take the maximum
# along each row, divide, round to eight bits, store. Two outputs: `q`, as large as the input, and one scale for each
# row of the tile.
#
# Look at where the scales go: column by column, the scales of *one* block column of all rows side by side. The matrix
# product will need just those together, for the rows of its tile, so this is the order in which a program can fetch
# them in one piece. The layout of a tensor is part of a kernel's contract, and which one is best is decided by its
# *reader*.
#
# *Difficulty 2 · 3 points · 25 minutes.* `block_scale(amax, UE8M0)` is given: it makes the scale of a block from its
# largest absolute value, with a floor, and as a power of two if asked to.
#
# <details><summary>Hint 1</summary>
#
# The second axis of the grid is the number of the block: `k = block * 128 + tl.arange(0, 128)`. Both masks matter: K
# may end within the last block, and M within the last program.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# `tl.max(tl.abs(v), 1)` is a vector [ROWS]; to divide the tile by it, give it a second axis: `scale[:, None]`. (It
# leaves out NaN. The library's `block_amax(v, 1)` keeps it, which is not asked of you.)
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# `.to(tl.float8e4nv)` is the cast to E4M3. The scales are stored at `s + block * s_col + m`, for m < M only: behind
# the M scales of a column stands the next column.
#
# </details>

# %% exercise="triton.quantise" points=3 minutes=25 difficulty=2
from minids.kernels.quantise import quantise_kernel

# %%
M, K, ROWS = 10, 300, 4
x = torch.randn(M, K, generator=torch.Generator().manual_seed(3))
q, s = torch.empty(M, K, dtype=torch.float8_e4m3fn), torch.empty(3, 12)  # 3 columns of blocks, 12 places in each
seen = launch(quantise.quantise_kernel, (3, 3), x, q, s, M, K, K, 12, UE8M0=False, ROWS=ROWS)
fig, (left, right) = plt.subplots(1, 2, figsize=(7, 2.6), width_ratios=[3, 1])
picture(left, seen.program(q))
left.set(xlabel="column of q", ylabel="row of q")
picture(right, seen.program(s), size=7)
right.set(xlabel="place in a column of s", ylabel="block", yticks=[0, 1, 2])
show(fig, "Left: q, 10 x 300, in nine tiles of 4 rows and 128 columns, the last ones smaller. Right: the scales in "
          "memory, a line for each of three columns of blocks; of 12 places in a line the first 10 are written."
     )

# %% [markdown]
# The grey places on the right belong to nobody: they are there so that every column begins at a multiple of 16 bytes,
# and no program may write to them.
#
# ### A bug to find
#
# Weights are scaled in blocks of 128x128 (V3 paper, §3.3.2), so that a program of the matrix product needs one number
# for all columns of its tile. Somebody has made the kernel for them out of the one above. It runs, `q` looks
# reasonable, and its own author's test, one block of random numbers, was nearly passed: "E4M3 is not very exact".


# %%
# NBVAL_CHECK_OUTPUT
def as_it_was(name):
    """The kernel with the bug, for a look at what it does."""
    from minids.course import wrong

    return wrong.named("triton.quantise_weight", name).fn


w = torch.randn(128, 128, generator=torch.Generator().manual_seed(4))
q, s = torch.empty(128, 128, dtype=torch.float8_e4m3fn), torch.empty(1, 1)
seen = launch(as_it_was("a_scale_for_each_row"), (1, 1), w, q, s, 128, 128, 128, UE8M0=False)
print("how often the one scale was written:", seen.stores(s).item())

# %% [markdown]
# *Difficulty 1 · 2 points · 15 minutes.* Find out why, and repair it. On a GPU this would be a race within one program:
# 128 lanes store to one address, and which of them wins is not defined.
#
# <details><summary>Hint 1</summary>
#
# What is the shape of `scale`? What should it be, for a block that has one?
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# A maximum along axis 1 leaves 128 numbers. A second one, along axis 0, leaves a single one. Then neither division nor
# store need an axis for it: `tl.broadcast_to(scale, 128, 128)`.
#
# </details>

# %% exercise="triton.quantise_weight" start="a_scale_for_each_row" points=2 minutes=15 difficulty=1
from minids.kernels.quantise import quantise_weight_kernel

# %% [markdown]
# ## 5. Tiles that walk: the matrix product
#
# Everything so far read each number once. In a product of [M, K] and [K, N] every number of `a` is needed N times, and
# the whole art is to fetch it less often. The plan is always the same: a program owns a tile of the *output*, `BM` x
# `BN`, whose sum stays in registers. It walks along K in steps of `BK`; in each it loads a tile of `a` and one of `b`,
# and `tl.dot` multiplies the two, which is what tensor cores are built for.
#
# *Difficulty 2 · 3 points · 30 minutes*
#
# <details><summary>Hint 1</summary>
#
# `for first in range(0, K, BK):` is allowed, K need not be known when compiling. Inside, `k = first + tl.arange(0,
# BK)`. The addresses are `a + m[:, None] * a_row + k[None, :] * a_col`: each index times its own stride.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# Three masks, for three pairs of axes: rows and k for a, k and columns for b, rows and columns for the store. Along k
# zeros are what is needed: they add nothing to the sum.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# `acc = tl.dot(x, y, acc)` adds onto a float32 tile. For float32 operands a GPU would take TF32, with 10 bits of
# mantissa, unless `input_precision="ieee"` says otherwise.
#
# </details>

# %% exercise="triton.matmul" points=3 minutes=30 difficulty=2
from minids.kernels.tiled import matmul_kernel

# %%
M, N, K = 40, 56, 48
make = torch.Generator().manual_seed(5)
a, b, c = torch.randn(M, K, generator=make), torch.randn(K, N, generator=make), torch.empty(M, N)
seen = launch(tiled.matmul_kernel, (3, 4), a, b, c, M, N, K, K, 1, N, 1, N, BM=16, BN=16, BK=16)
fig, axes = plt.subplots(1, 3, figsize=(7, 2.5), width_ratios=[K, N, N])
picture(axes[0], seen.loads(a, program=6).clamp(max=1) * 7 - 1, names=False)
picture(axes[1], seen.loads(b, program=6).clamp(max=1) * 7 - 1, names=False)
picture(axes[2], seen.program(c))
for ax, title in zip(axes, ("a: read by program 6", "b: read by program 6", "c: written by")):
    ax.set_title(title, fontsize=9)
axes[0].set(ylabel="row"), [ax.set_xlabel("column") for ax in axes]
show(fig, "Program 6 reads a band of 16 rows of a and a band of 16 columns of b; c is cut into 3 x 4 tiles, one for "
          "each of 12 programs, and tile 6 lies where the two bands meet.")

# %% [markdown]
# The neighbours of program 6 read the same band of `a`, those above and below it the same band of `b`. With tiles of
# `BM` x `BN`, each number of `a` is asked for N / BN times and each of `b` M / BM times. So larger tiles save traffic.
# We let the interpreter count.

# %%
M = N = K = 128
a, b, c = torch.ones(M, K).bfloat16(), torch.ones(K, N).bfloat16(), torch.empty(M, N, dtype=torch.bfloat16)
tiles, counted = (16, 32, 64, 128), []
for tile in tiles:
    grid, size = (M // tile, N // tile), {"BM": tile, "BN": tile, "BK": 64}
    seen = launch(tiled.matmul_kernel, grid, a, b, c, M, N, K, K, 1, N, 1, N, **size)
    counted.append(2 * M * N * K / max(sum(seen.bytes()), 1))
fig, ax = plt.subplots(figsize=(5.5, 2.7))
ax.plot(tiles, counted, "o", label="counted in the interpreter, K = 128")
ax.plot(tiles, [t / 2 for t in tiles], color="grey", linestyle="--", linewidth=1, label="tile / 2, for a long K")
ax.set(xscale="log", yscale="log", xlabel="side of the tile", ylabel="operations a byte asked for")
ax.set_xticks(tiles, tiles), ax.set_yticks([8, 16, 32, 64], [8, 16, 32, 64]), ax.minorticks_off()
ax.legend(fontsize=8)
show(fig, "Operations for each byte asked for rise with the side of the tile, from 8 at tiles of 16 to more than 40 at "
          "128, somewhat below the dashed line of half the side, since the output is written too.")

# %% [markdown]
# A tile of 128 asks for eight times fewer bytes than a tile of 16. Why not 1,024? The sums live in registers: 128 x 128
# float32 numbers are 64 KiB, a quarter of what one of the 132 processors has, and tiles of `a` and `b` wait in its
# shared memory, several steps ahead, so that nobody has to wait for memory. What fits is a small puzzle of its own; we
# come back to it.
#
# ## 6. The block-scaled FP8 product
#
# Everything is in place for the kernel at which the last two chapters aim. `a` and `b` are E4M3, with a scale for each
# 1x128 of `a` and each 128x128 of `b`:
#
# $$c_{mn} = \sum_j s^a_{mj}\, s^b_{n/128,\,j} \sum_{k \in j} a_{mk}\, b_{nk}.$$
#
# Scales do not change within a block $j$, so they stay out of the inner sum. A step of 128 along K is one `tl.dot`; its
# result, a tile of products, is multiplied by the scales of the step and *then* added. That is also the **promotion**
# of chapter 06: the tensor core starts anew for each block, and the long sum is a float32 one outside of it (V3 paper,
# §3.3.2). If instead all of K were summed first, there would be no scale to multiply with, and on Hopper few bits left.
#
# *Difficulty 3 · 4 points · 30 minutes.* `b` is [N, K] here: both operands lie with K side by side, since Hopper's FP8
# tensor cores take nothing else.
#
# <details><summary>Hint 1</summary>
#
# Load b's tile turned: `b + n[None, :] * K + k[:, None]` has the shape [128, BN], as `tl.dot` wants it.
#
# </details>
#
# <details><summary>Hint 2</summary>
#
# The scales of a are a vector [BM], at `a_scales + block * a_scale_col + m`. The scale of b is one number: all columns
# of the tile lie in one block of 128, block number `tl.program_id(1) * BN // 128`.
#
# </details>
#
# <details><summary>Hint 3</summary>
#
# `products = tl.dot(x, y)` without a third argument starts at zero. `acc += products * (sa * sb)[:, None]`.
#
# </details>

# %% exercise="triton.fp8_matmul" points=4 minutes=30 difficulty=3
from minids.kernels.tiled import fp8_matmul_kernel

# %%
make = torch.Generator().manual_seed(6)
x, weight = torch.randn(48, 512, generator=make), torch.randn(160, 512, generator=make)
operands = (*quantise.quantise(x, backend=BACKEND), *quantise.quantise_weight(weight, backend=BACKEND))
ours = tiled.fp8_matmul(*operands, out_dtype=torch.float32, backend=BACKEND)
fast = gemm.matmul(*operands, out_dtype=torch.float32, backend=BACKEND)
exact = gemm.matmul_reference(*operands, torch.float64)
print(f"against the product of the same FP8 numbers in float64   {gemm.difference(ours, exact):.0e}")
print(f"against the library's fast kernel                        {gemm.difference(ours, fast):.0e}")
print(f"against the product before quantising                    {gemm.difference(ours, x @ weight.T):.1e}")

# %% [markdown]
# Half the squared relative error, which is what is printed, is zero but for rounding in the first two lines. In the
# third it is about 7e-4, all of it from quantising: a right kernel adds nothing that could be seen beside it.
#
# The interpreter is more exact here than a GPU: it sums in float32, where Hopper's tensor cores keep about 14 bits
# (V3 paper, §3.5.2). What happens without promotion can still be seen, in the library's emulation of that accumulator.
# The worst case are numbers of one sign, whose sum only grows:

# %%
lengths, errors = (128, 512, 1024, 2048, 4096), {"never promoted": [], "promoted each 128": []}
make = torch.Generator().manual_seed(7)
a, b = (torch.rand(6, 4096, generator=make).to(torch.float8_e4m3fn) for _ in range(2))
for length in lengths:
    want = a[:, :length].double() @ b[:, :length].double().T
    for name, promote in (("never promoted", None), ("promoted each 128", 128)):
        got = gemm.accumulate_reference(a[:, :length], b[:, :length], promote=promote)
        errors[name].append(100 * ((got - want).norm() / want.norm()).item())
fig, ax = plt.subplots(figsize=(5.5, 2.6))
for name, values in errors.items():
    ax.plot(lengths, values, marker="o", label=name)
ax.set(xscale="log", yscale="log", xlabel="K", ylabel="relative error (%)")
ax.set_xticks(lengths, lengths), ax.set_yticks([0.1, 1, 10], [0.1, 1, 10]), ax.minorticks_off(), ax.legend(fontsize=8)
show(fig, "Relative error of a sum of K products with 14 bits: without promotion it grows with K to several percent at "
          "4096; promoted each 128 it stays below a tenth of a percent.")

# %% [markdown]
# ## 7. From the one to read to the fast one
#
# `kernels/tiled.py` now holds two kernels of yours, and `kernels/gemm.py` one that does the same job and is written for
# an H100. It differs in what the memory and the tensor cores see, and not in what is computed:
#
# - *Who runs next to whom.* 132 programs run at a time, and share an L2 cache of 50 MB. In which order tiles are
#   counted decides how much of `a` and `b` they have in common (below).
# - *Persistent programs.* One program a processor, each working through several tiles: the next one's loads begin while
#   the last one's results are written.
# - *TMA.* A descriptor says once what the matrix looks like; a copy engine then fetches tiles, masks included, and no
#   thread computes addresses.
# - *Specialised warps.* Some only load, others only multiply, so that promotion does not stop the tensor cores.
# - *Split K.* With few rows there are few tiles; K is divided among programs as well, and a second kernel adds the
#   parts, in a fixed order.
#
# The first of these can be counted here. For a product with 32 x 32 tiles, take the first 132 programs, and ask how
# many different bands of `a` and `b` they need.


# %%
def grouped(tile, down, across, group=8):
    """Row and column of a tile when tiles are counted down a group of 8 rows, then on to the next column."""
    first = tile // (group * across) * group
    rows = min(group, down - first)
    within = tile % (group * across)
    return first + within % rows, within // rows


orders = {"row by row": lambda t: divmod(t, 32), "8 rows at a time": lambda t: grouped(t, 32, 32)}
fig, axes = plt.subplots(1, 2, figsize=(6, 2.9))
for ax, (name, order) in zip(axes, orders.items()):
    running = torch.full((32, 32), -1)
    for tile in range(132):
        running[order(tile)] = 0
    bands = int((running >= 0).any(0).sum() + (running >= 0).any(1).sum())
    picture(ax, running, names=False)
    ax.set(title=f"{name}: {bands} bands", xlabel="column of tiles", ylabel="row of tiles")
    ax.title.set_fontsize(9)
show(fig, "The first 132 of 32 x 32 tiles: counted row by row they lie in 5 rows and all 32 columns, 37 bands; counted "
          "in groups of 8 rows they lie in 8 rows and 17 columns, 25 bands.")

# %% [markdown]
# ### Autotuning
#
# How large should a tile be, how many warps (groups of 32 threads) should work on it, how many steps ahead should be
# loaded (`num_stages`)? There is no formula; what is best depends on the shapes and the chip. So one writes a list and
# lets `@triton.autotune` run all of it, once for each new value of its `key`, and remember the fastest.
#
# Without a GPU nothing can be timed, and any number here would be invented. What can be computed is which entries of a
# list are worth trying: a bfloat16 product of 4096 x 4096 x 4096 on an H100, whose processors have 227 KiB of shared
# memory for a program and 65,536 registers each.

# %%
# NBVAL_CHECK_OUTPUT
print(" BM   BN  stages  shared KiB  registers for the sum  waves of programs  GB asked for")
for BM, BN, stages in ((64, 64, 4), (128, 64, 4), (128, 128, 3), (128, 128, 4), (128, 256, 3), (256, 256, 3)):
    shared, sums = stages * (BM + BN) * 64 * 2 / 1024, BM * BN
    tiles = (4096 // BM) * (4096 // BN)
    asked = 4096**3 * (1 / BM + 1 / BN) * 2
    fits = "" if shared <= 227 and sums < 65536 else "   does not fit"
    print(f"{BM:3}  {BN:3}  {stages:6}  {shared:10.0f}  {sums:12} of 65536  {tiles / 132:17.2f}  {asked / 1e9:11.1f}"
          + fits)

# %% [markdown]
# Large tiles ask for less and leave less room. And programs come in waves: with one on each processor, 132 run at a
# time, so that 7.76 waves take as long as 8; small ones may share a processor. None of these effects can be weighed
# against the others on paper, which is why one measures. With a GPU, the next cell does so, in a process of its own,
# since this one interprets.


# %%
def on_gpu(code):
    """Runs Python in a process in which kernels are compiled for the GPU; says so if there is none."""
    if not torch.cuda.is_available():
        print("Skipped: torch finds no GPU on this machine, and an interpreted kernel has no speed worth knowing.")
        return
    done = subprocess.run([sys.executable, "-c", code], env=os.environ | {"TRITON_INTERPRET": "0"}, capture_output=True,
                          text=True, encoding="utf-8")
    print(done.stdout + done.stderr[-2000:])


# %% clock
on_gpu("""
import torch, triton
from minids.course import answers
from minids.kernels import tiled
answers.load()  # your kernel, if you have one
configs = [triton.Config({"BM": bm, "BN": bn, "BK": 64}, num_warps=8, num_stages=s)
           for bm, bn, s in ((64, 64, 4), (128, 64, 4), (128, 128, 3), (128, 128, 4), (128, 256, 3))]
tuned = triton.autotune(configs, key=["M", "N", "K"])(tiled.matmul_kernel)
n = 4096
a, b = torch.randn(2, n, n, device="cuda", dtype=torch.bfloat16)
c = torch.empty(n, n, device="cuda", dtype=torch.bfloat16)
grid = lambda meta: (n // meta["BM"], n // meta["BN"])
run = lambda: tuned[grid](a, b, c, n, n, n, n, 1, n, 1, n)
print(f"matmul_kernel   {2 * n**3 / triton.testing.do_bench(run) / 1e9:6.0f} TFLOP/s with {tuned.best_config}")
print(f"torch           {2 * n**3 / triton.testing.do_bench(lambda: a @ b) / 1e9:6.0f} TFLOP/s")
""")

# %% [markdown]
# ### What the compiler makes of it
#
# One thing about the GPU needs no GPU: compiling for it. Triton turns a kernel into machine code for an H100 on any
# Linux machine, and what comes out says a good deal: how many registers a thread takes, whether they were enough
# (*spilled* bytes are those that had to go to memory), how much shared memory a program takes, and whether the tensor
# cores are used: `wgmma` is Hopper's instruction for them. If a kernel in your `mine/` folder took the place of the
# library's, it is yours that is compiled here. (The interpreter is more lenient than the compiler: it runs all of
# Python.)

# %%
COMPILE = """
from minids.course import answers
answers.load()
from minids.kernels import compiled, quantise, swiglu, tiled
wanted = {"forward_bf16": swiglu, "quantise": quantise, "matmul bf16 128 rows": tiled, "fp8 128 rows": tiled}
print("kernel                registers  spilled  shared  tensor cores")
for name, module in wanted.items():
    case = next(case for case in module.cases() if case.name == name)
    try:
        made = compiled.compiled(case, 90)
    except Exception as error:
        print(f"{name:20}  does not compile: {str(error).strip().splitlines()[-1]}")
        continue
    used = " ".join(i.split(".sync")[0] for i in made["tensor_core"]) or "-"
    print(f"{name:20}  {made['registers']:9}  {made['spilled']:7}  {made['shared']:6}  {used}")
"""

# %%
if HERE:
    with tempfile.TemporaryDirectory() as cache:
        env = os.environ | {"TRITON_INTERPRET": "0", "TRITON_CACHE_DIR": cache}
        done = subprocess.run([sys.executable, "-c", COMPILE], env=env, capture_output=True, encoding="utf-8")
    print(done.stdout or done.stderr[-500:])

# %% [markdown]
# Nothing spills, and both products have found the tensor cores. That is no matter of course. Two other ways to write
# them pass all of this chapter's cases: to add up outer products, one k at a time, and to multiply `a` and `b` with
# their scales *before* the product. Compiled, both lose `wgmma`, since no tile of bfloat16 or FP8 is left to multiply,
# and spill registers, the second one by the kilobyte. Right, and slow: try it in your own cell.
#
# ## 8. How fast could it be? The roofline
#
# A kernel has to move its bytes and do its operations, and neither goes faster than the chip allows. An H100 SXM moves
# 3.35 TB/s and does 989 TFLOP/s in bfloat16, 1,979 in FP8 (NVIDIA's data sheet, dense). Divide a kernel's operations by
# its bytes, its **intensity**, and you know which of the two it meets first: below 989 / 3.35 = 295 operations a byte
# the memory, above it the tensor cores; for FP8 at 591.
#
# Intensities come from the bytes that a kernel *must* move: each input once, each output once. Points are drawn where
# this repository holds a record that `minids bench kernels` has measured on a GPU.

# %%
BANDWIDTH, PEAKS = 3.35, {"bfloat16": 989, "FP8": 1979}  # TB/s; TFLOP/s


def product_intensity(M, N, K, size):
    """Operations a byte of [M, K] x [K, N] with operands of this many bytes a number and a bfloat16 result."""
    return 2 * M * N * K / (size * (M * K + N * K) + 2 * M * N)


kernels = {
    "SwiGLU": 5 / 6, "RMSNorm": 4 / 4, "quantise": 4 / (3 + 4 / 128),
    "FP8 product, M = 64": product_intensity(64, 7168, 2048, 1),
    "bfloat16 product, M = 4096": product_intensity(4096, 7168, 2048, 2),
    "FP8 product, M = 4096": product_intensity(4096, 7168, 2048, 1),
}
for name, intensity in kernels.items():
    peak = PEAKS["FP8" if name.startswith("FP8") else "bfloat16"]
    bound = "memory" if BANDWIDTH * intensity < peak else "tensor cores"
    roof = min(peak, BANDWIDTH * intensity)
    print(f"{name:28} {intensity:7.1f} operations a byte: at most {roof:6.1f} TFLOP/s ({bound})")


# %%
def measured():
    """[(name, intensity, TFLOP/s, device)] from the records of kernels that were measured on a GPU."""
    points = []
    for path in sorted((catalog.ROOT / "docs" / "results").glob("kernels*.json")):
        for row in json.loads(path.read_text(encoding="utf-8")):
            sizes, intensity = row["config"], None
            if row["name"].startswith("kernel_fp8_gemm") and not row["name"].endswith("_scaled_mm"):
                intensity = product_intensity(sizes["M"], sizes["N"], sizes["K"], 1)
            elif row["name"].startswith("kernel_quantise"):
                intensity = kernels["quantise"]
            if intensity and row["ours"] is not None:
                speed = row["ours"] if row["unit"] == "TFLOP/s" else row["ours"] / 1000 * intensity
                points.append((row["name"].removeprefix("kernel_"), intensity, speed, row["device"]))
    return points


# %%
points = measured()
for name, _, speed, device in points:
    print(f"{name:24} {speed:8.1f} TFLOP/s on {device}")
if not points:
    print("not measured. On a machine with a GPU: minids bench kernels --json > docs/results/kernels.json")

# %%
fig, ax = plt.subplots(figsize=(7, 3.6))
x = torch.logspace(-1, 4, 200)
for (name, peak), style in zip(PEAKS.items(), ("-", "--")):
    ax.plot(x, (BANDWIDTH * x).clamp(max=peak), style, label=f"{name}: 3.35 TB/s, then {peak} TFLOP/s")
for name, intensity in kernels.items():
    ax.axvline(intensity, color="lightgrey", linewidth=1, zorder=0)
    side = "right" if name.startswith(("SwiGLU", "bfloat16")) else "left"
    ax.text(intensity, 0.3, name, rotation=90, fontsize=7, va="bottom", ha=side)
if points:
    ax.plot([p[1] for p in points], [p[2] for p in points], "o", color="C2", label=f"measured, {points[0][3]}")
ax.set(xscale="log", yscale="log", xlabel="operations a byte", ylabel="TFLOP/s at most", ylim=(0.25, 4000))
ax.legend(fontsize=8, loc="upper left")
show(fig, "Roofline of an H100: a line that rises with 3.35 TB/s and turns level at 989 TFLOP/s for bfloat16 and 1979 "
          "for FP8. SwiGLU, RMSNorm and quantise lie near 1 operation a byte, far left; products with 4096 rows lie "
          "right of the corner, an FP8 product with 64 rows left of it.")

# %% [markdown]
# Read from left to right. *SwiGLU, RMSNorm, quantise* use less than half a percent of what the tensor cores could do,
# and no cleverness in arithmetic changes that; only fewer bytes do, which is what fusing is for. *A product with 64
# rows*, which is what decoding makes for 64 users, is bound by reading the weights: FP8 helps it because weights are
# half as large, not because FP8 is multiplied faster. *A product with 4,096 rows*, as in training, is what tensor cores
# are for: it lies beyond the corner in both formats, and there FP8 does double the speed, at best.
#
# The roof is not what one gets. Reported on Hopper: DeepSeek's own CUDA kernels reach up to 1,550 TFLOP/s in FP8
# (DeepGEMM's README, on an H800), 78 % of the data sheet; and block-scaled Triton kernels in the form in which you have
# written yours, about 400 and less than cuBLAS in bfloat16 (vLLM, pull request 23280). To be *right* takes an
# afternoon, to be fast takes what section 7 lists.
#
# ### Where it does not pay
#
# Here, for one: the interpreter computes with numpy, a few operations at a time, and starts anew for every program.

# %% clock
x = torch.randn(64, 256, generator=torch.Generator().manual_seed(8))


def milliseconds(fn):
    fn()
    begin = time.process_time()
    for _ in range(3):
        fn()
    return 1000 * (time.process_time() - begin) / 3


for name, fn in (("torch", lambda: swiglu.swiglu(x, x, backend="torch")),
                 ("the kernel, interpreted", lambda: swiglu.swiglu(x, x, backend=BACKEND))):
    print(f"{name:24} {milliseconds(fn):8.3f} CPU-ms")

# %% [markdown]
# That is why `minids` takes its kernels on a GPU only, and plain torch everywhere else (`backend=None`), and why the
# tests that compare the two take small shapes.
#
# On a GPU, a kernel of one's own does not pay where the library behind `torch.matmul` already meets the roof, where
# tensors are so small that starting a kernel takes longer than running it, or where `torch.compile` would fuse the same
# steps by itself: it writes Triton too. It pays where the *form* of the computation is new, as block scales were.
#
# With a GPU, this checks that your kernels compute there what they compute here:

# %% clock
on_gpu("""
import torch
from minids.course import answers
from minids.kernels import gemm, quantise, rmsnorm, swiglu, tiled
print("your kernels:", [name for name, why in answers.load().items() if why is None and name.startswith("triton.")])
x = torch.randn(1000, 768, device="cuda", dtype=torch.bfloat16)
w = torch.randn(512, 768, device="cuda", dtype=torch.bfloat16)
one = torch.ones(768, device="cuda", dtype=torch.bfloat16)
a, b = quantise.quantise(x), quantise.quantise_weight(w)
for name, fn, args in (("swiglu", swiglu.swiglu, (x, x)), ("rms_norm", rmsnorm.rms_norm, (x, one)),
                       ("matmul", tiled.matmul, (x, w.t())), ("fp8_matmul", tiled.fp8_matmul, (*a, *b))):
    there, here = fn(*args), fn(*(t.cpu() for t in args), backend="torch")
    print(f"{name:12} differs from the reference by {gemm.difference(there.cpu(), here):.0e}")
""")

# %% [markdown]
# ## What you now own
#
# - `swiglu_kernel`: a masked tile, strides, and why fusing pays;
# - `rms_norm_kernel`: a reduction that stays within a program;
# - `quantise_kernel` and `quantise_weight_kernel`: blocks, scales, and layouts that suit the reader;
# - `matmul_kernel`: an output tile that walks along K;
# - `fp8_matmul_kernel`: block scales and promotion, the product behind V3's training;
# - a way to look at any kernel: who reads, who writes, how many bytes, and where its roof is.
#
# On a GPU, `minids` trains and samples with the kernels for RMSNorm and SwiGLU, and in FP8 with those that quantise:
# with `--mine` they are yours. (For products it takes the fast ones of `gemm.py` and `grouped.py`.)
#
# ## Three questions
#
# **1.** A softmax over rows of 50,000 numbers: what must masked lanes load, and what do you do if a row does not fit
# into one program's registers?
#
# <details><summary>Answer</summary>
#
# Minus infinity, so that they win no maximum, and their exponentials are 0. A long row is walked in steps, as a matrix
# product walks along K: keep the largest value so far and the sum of exponentials relative to it, and rescale the sum
# whenever a larger value turns up. That is what the library's `cross_entropy.py` does, and what flash attention does
# with a matrix product inside.
#
# </details>
#
# **2.** Someone quantises a matrix of 4,096 x 4,096 in bfloat16 with one kernel for the maxima and a second one that
# divides and rounds. How many bytes more does that move than yours?
#
# <details><summary>Answer</summary>
#
# The second kernel reads x again: 2 x 4,096 x 4,096 bytes, 34 MB, in addition to 34 MB read and 17 MB written (and
# scales, of which there is one for 128 numbers). Two thirds more, for the same result.
#
# </details>
#
# **3.** Your FP8 product passes all cases in the interpreter. Name three mistakes that it may still have on a GPU.
#
# <details><summary>Answer</summary>
#
# A race, since the interpreter runs one program after the other. Offsets beyond 2^31 in 32-bit numbers, since the cases
# are small. Precision: the interpreter's `tl.dot` sums in float32, so a kernel that leaves the sum in the tensor core
# over all of K, and has all scales equal, loses nothing here. And speed, of which it says nothing: registers that
# spill, loads of single bytes, tiles that leave processors idle.
#
# </details>
#
# ## Sources
#
# - DeepSeek-V3, arXiv 2412.19437: §3.3.2 blocks, scales and promotion, §3.5.2 what the tensor cores keep; figure 7.
# - Tillet, Kung and Cox, *Triton: an intermediate language and compiler for tiled neural network computations*, MAPL
#   2019. Williams, Waterman and Patterson, *Roofline*, Communications of the ACM 52(4), 2009.
# - SwiGLU: Shazeer, arXiv 2002.05202. RMSNorm: Zhang and Sennrich, arXiv 1910.07467.
# - NVIDIA H100 data sheet (SXM: 989 and 1,979 TFLOP/s dense, 3.35 TB/s). DeepGEMM, github.com/deepseek-ai/DeepGEMM.
