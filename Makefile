# From a fresh clone, with nothing but make and a Python from 3.11 on:
#
#   make compare   runs the four approaches on practical cases and says which is for what
#                  (your own function: make compare ARGS="file.py:function --items '[1, 2, 3]'")
#   make test      the gate, all tests, what must hold everywhere on each other Python found too, and the heart of it
#                  over the transport of systems that are not Linux
#   make gate      lint, format, types, floors
#   make picture   measures the practical cases anew and draws the README's tables and pictures from them
#   make bench     every benchmark, at last the table beside the peers; results in benchmarks/results/
#                  (one row of it alone: .venv-bench/bin/python benchmarks/peers.py --row futures)
#   make clean     removes what the above made
#
# PYTHON=/path/to/python3 chooses the interpreter.

VENV := .venv
ARGS ?=
SHELL := /bin/sh
# What holds for every approach and every worker, and is marked so.
CONTRACT := tests/conformance tests/contract tests/engine
# What compares measured times or looks at threads that are just ending, and so is run while nothing else is.
ALONE := tests/api tests/machine tests/measure $(addprefix tests/architecture/test_,front_door.py leak_check.py) \
    $(addprefix tests/cli/test_,advise_command.py compare_command.py interrupts.py practical.py terminals.py)
# What is run with every other Python that is found, and what with the newest of them as well.
HEART := tests/contract/test_every_approach.py tests/contract/test_worker_faults.py tests/measure/test_effects.py
NEWEST := tests/conformance tests/engine tests/contract/test_executors.py tests/contract/test_stream.py \
    tests/contract/test_pool.py tests/contract/test_processes.py tests/contract/test_queues.py
# What is run once more over the transport of systems that are not Linux.
PORTABLE := tests/contract/test_every_approach.py tests/contract/test_worker_faults.py tests/contract/test_processes.py tests/faults/test_deaths_of_workers.py

# An active environment of the caller's must not leak into ours.
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV PIP_USER PIP_TARGET PIP_PREFIX
export PYTHON

.PHONY: compare test gate picture bench clean

compare:
	@tools/environment $(VENV) run
	@$(VENV)/bin/corewise compare $(ARGS)

test:
	@MAKE="$(MAKE)" CONTRACT="$(CONTRACT)" PORTABLE="$(PORTABLE)" HEART="$(HEART)" NEWEST="$(NEWEST)" ALONE="$(ALONE)" tools/run_tests $(VENV)

gate:
	@tools/environment $(VENV) dev
	$(VENV)/bin/ruff check --quiet
	$(VENV)/bin/ruff format --check --quiet
	@checks=""; for platform in linux darwin win32; do \
	    echo "$(VENV)/bin/mypy --platform $$platform"; \
	    $(VENV)/bin/mypy --no-error-summary --platform $$platform --cache-dir .mypy_cache/$$platform & \
	    checks="$$checks $$!"; \
	done; \
	for check in $$checks; do wait $$check || exit 1; done
	$(VENV)/bin/lint-imports --no-logo

picture:
	@tools/environment $(VENV) run
	@$(VENV)/bin/corewise compare --json benchmarks/results/compare.json
	@$(VENV)/bin/python tools/draw_readme.py

# The peers are compared last, so that their table is what remains on the screen. One benchmark that fails keeps no
# other from being run.
bench:
	@tools/environment $(VENV) dev
	@benchmarks/environment $(VENV)-bench
	@failed=0; for program in $$(ls benchmarks/[a-z]*.py | grep -v -E '/(peers|pools|queues|both)\.py$$'); do \
	    echo "$$program"; \
	    $(VENV)/bin/python "$$program" || failed=1; \
	done; \
	for program in benchmarks/pools.py benchmarks/queues.py benchmarks/both.py; do \
	    echo "$$program"; \
	    $(VENV)-bench/bin/python "$$program" || failed=1; \
	done; \
	echo benchmarks/peers.py; \
	$(VENV)-bench/bin/python benchmarks/peers.py $(ARGS) || failed=1; \
	exit $$failed

clean:
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
