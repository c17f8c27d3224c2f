# make reason    from nothing to a reasoning model: .venv, install, the tiny recipe, a table, runs/tiny/report.html
# make test      .venv, install, ruff and all tests         make test-fast   the quick ones
# make lab       JupyterLab on chapters/                    make bench       speed beside peers
# make lint      ruff, notebooks in step with chapters/src  make notebooks   every chapter, run from end to end
# make clean     caches and build leftovers
# make lock      constraints.txt from pyproject.toml            make check-install   can every platform install it?
# make check-kernels   the kernels compile under each Triton that torch brings (downloads 250 MB for each)
#
# TORCH=cpu takes torch's CPU build (200 MB, not 5 GB); cu126, rocm7.2 and others are in tools/install.py. PIP_FLAGS is
# handed to pip install, ARGS to minids run: make reason ARGS="--seed 1 --controls"

SHELL := /bin/sh
BIN := .venv/bin
PIP_FLAGS ?=
TORCH ?=
ARGS ?=
# Of torch 2.11, of 2.13, and the newest.
TRITONS := triton==3.6.0 triton==3.7.1 triton
# Small matrices: one thread a process. Two of them on busy cores are many times slower than one.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
PYTEST := $(ONE_THREAD) $(BIN)/python -m pytest -n 2 --dist worksteal -p no:nbval

NBVAL := $(ONE_THREAD) MINIDS_STATIC=1 $(BIN)/python -m pytest -n 2 --dist loadfile --nbval-lax --nbval-cell-timeout=300

.PHONY: reason test test-fast notebooks lab bench lint clean lock check-install check-kernels

reason: .venv/train.stamp
	$(BIN)/minids run tiny --resume $(ARGS)

test: .venv/dev.stamp lint
	@$(MAKE) -s .venv/gym.stamp || echo "make: reasoning-gym could not be installed (it builds pycosat from source, which needs a" \
	  "C compiler): its tests are skipped."
	@mine=$$(mktemp -d) && trap 'rm -rf "$$mine"' EXIT && $(MAKE) -s notebooks MINE="$$mine" && \
	  MINIDS_SOLVED="$$mine/solved" $(PYTEST)

# The solutions at full length: copies of them, since a check keeps nothing where a folder is called solutions, and
# test_students.py goes on with what was kept. It runs the chapters as they are handed out, blank, too.
notebooks: .venv/dev.stamp
	@mine="$(MINE)" && if [ -z "$$mine" ]; then mine=$$(mktemp -d) && trap 'rm -rf "$$mine"' EXIT; fi && \
	  mkdir "$$mine/desk" && cp solutions/*.ipynb "$$mine/desk" && MINIDS_MINE="$$mine/solved" $(NBVAL) "$$mine/desk"

test-fast: .venv/dev.stamp
	$(PYTEST) -m "not slow"

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format -q --check .
	$(ONE_THREAD) $(BIN)/minids dev build --check

bench: .venv/dev.stamp
	$(BIN)/minids bench

lab:
	@$(MAKE) .venv/course.stamp
	$(BIN)/jupyter lab chapters

lock: .venv/dev.stamp
	$(BIN)/python tools/lock.py $(ARGS)

check-install: .venv/dev.stamp
	$(BIN)/python tools/lock.py --check

check-kernels: .venv/dev.stamp
	@for version in $(TRITONS); do \
	  folder=$$(mktemp -d) && \
	  $(BIN)/python -m pip install --disable-pip-version-check -q --no-deps --target "$$folder" $$version && \
	  PYTHONPATH="$$folder" $(ONE_THREAD) $(BIN)/python -m pytest -p no:nbval tests/kernels/test_compiled.py \
	    tests/kernels/test_interpreter.py && echo "$$version: ok"; \
	  failed=$$?; rm -rf "$$folder"; [ $$failed = 0 ] || exit $$failed; \
	done

clean:
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -path ./.venv -prune -o -name __pycache__ -type d -print | xargs rm -rf

# .venv is made once by the first Python that is new enough; a stamp says which extras are in it.
.venv/bin/python:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    $$python tools/install.py --probe || exit 2; \
	    echo "making .venv with $$($$python --version)"; exec $$python -m venv .venv; fi; \
	done; \
	echo "make: no Python 3.11 or newer with its venv module was found (tried $(PYTHON) python3, python3.11 to python3.14)." >&2; \
	echo "      Install one (python.org, conda, or your system's python3 and python3-venv packages)," >&2; \
	echo "      or say where it is: make PYTHON=/path/to/python3 ..." >&2; exit 2

.venv/%.stamp: .venv/bin/python pyproject.toml constraints.txt
	@PIP_FLAGS='$(PIP_FLAGS)' $(BIN)/python tools/install.py $* --torch "$(TORCH)"
	@touch $@
