# `make help` lists the targets. All of them work from a fresh clone with Python 3.11 and make.

PYTHON ?= $(shell for p in python3.11 python3; do $$p -c "" 2>/dev/null && echo $$p && break; done)
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
OUT ?= results/demo

SUITABLE := 'import sys; v = sys.version_info; ok = (3, 11) <= v[:2] <= (3, 13); \
    sys.exit(None if ok else f"ombo-gym needs Python 3.11 to 3.13, got {v[0]}.{v[1]}: make PYTHON=python3.11")'

# An environment is up to date when it was made here, from these very files: their checksum is part of the stamp's name.
KEY := $(shell (echo "$(CURDIR)"; cat pyproject.toml constraints.txt) | cksum | cut -d " " -f 1)
STAMP := $(VENV)/.setup-$(KEY)
BENCH_STAMP := $(VENV)/.bench-$(KEY)

# One thread a process: the tests and the evaluation run several processes, and timings are compared on one core.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 VECLIB_MAXIMUM_THREADS=1
PYTEST := $(ONE_THREAD) MPLBACKEND=Agg $(PY) -m pytest
WORKERS ?= 2
SEED ?= 0
STUDIES := $(patsubst scripts/studies/%/plan.py,%,$(sort $(wildcard scripts/studies/*/plan.py)))

.DEFAULT_GOAL := help
.PHONY: help setup demo suite suite-quick study studies release-results test lint types format docs slow audit bench data constraints dist clean distclean train-meta train-priors

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-24s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv from constraints.txt, with what the tests need (reused when up to date)
	@:

$(STAMP):
	@test -n "$(PYTHON)" || { echo "make: no python3.11 or python3 found; name one: make PYTHON=/path/to/python"; exit 1; }
	@$(PY) -c $(SUITABLE) 2>/dev/null || { $(PYTHON) -c $(SUITABLE) && $(PYTHON) -m venv --clear $(VENV); }
	$(PIP) install -c constraints.txt -e ".[all,dev]"
	$(PIP) check
	@rm -f $(VENV)/.setup-* $(VENV)/.bench-*
	@touch $@

demo: setup ## train a meta-policy and evaluate it over horizons against the heuristics (a few minutes)
	$(PY) -m scripts.demo --out $(OUT)

suite: setup ## train, play every policy on every environment (grids/suite.yaml), write the leaderboard
	$(ONE_THREAD) $(PY) -m scripts.studies suite --jobs $(WORKERS)

suite-quick: setup ## a part of the suite whose order of policies agrees best with the whole's (20 minutes)
	$(ONE_THREAD) $(PY) -m scripts.evaluate --grid grids/suite-quick.yaml --out results/suite-quick --jobs $(WORKERS)

train-meta: setup ## train the meta-policy that the package ships, into runs/meta-0 (an hour on two cores; goes on where it was stopped)
	$(ONE_THREAD) $(PY) -m scripts.train --agent meta --tasks ML-screens-v0:train+ML-families-v0:train --out runs/meta-$(SEED) \
		--seed $(SEED) --jobs $(WORKERS) $(if $(wildcard runs/meta-$(SEED)/state.json),--resume)

# What each prior is learnt from. Those that are there are kept: remove the folder to learn one anew.
PRIORS := runs/priors-$(SEED)
OF_coating := --tasks Coating:train
OF_coating_mirror := --tasks Coating:train --env-kwargs '{"task": "mirror", "layers": 5}'
OF_lcbench := --tasks LCBench:train
OF_snar := --tasks SnAr:train --env-kwargs '{"kinetics": "perturbed"}' --instances 48
OF_tf_binding := --tasks TFBinding:train --loadings 5
FAMILIES := $(sort $(patsubst OF_%,%,$(filter OF_%,$(.VARIABLES))))

train-priors: $(FAMILIES:%=$(PRIORS)/%/config.json) ## learn the priors that the package ships, into runs/priors-0 (minutes)

$(PRIORS)/%/config.json: | setup
	$(ONE_THREAD) $(PY) -m scripts.train --agent prior $(OF_$*) --seed $(SEED) --out $(@D)

study: setup ## make one result page: make study NAME=planning (goes on where it was stopped)
	@test -n "$(NAME)" || { echo "make: expected the name of a study, NAME=...: one of $(STUDIES)"; exit 1; }
	$(ONE_THREAD) $(PY) -m scripts.studies $(NAME) --jobs $(WORKERS) --resume

studies: ## make all result pages, one after the other (half a day or so; goes on where it was stopped)
	for name in $(filter-out bench_tools,$(STUDIES)); do $(MAKE) study NAME=$$name || exit 1; done

release-results: setup ## pack large tables and pictures, and trained policies: build/results-VERSION.tar.gz
	$(PY) -m scripts.release_results

test: setup lint types ## lint, types and every test that is not slow
	$(PYTEST) -n $(WORKERS) --dist worksteal -m "not slow and not bench"

lint: setup ## ruff: rules and format
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: setup ## mypy, strict
	$(PY) -m mypy

format: setup ## put the code into the form that lint asks for
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

docs: setup ## build the site, strictly: build/site/index.html
	$(PY) -m scripts.build_docs --check
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet

slow: setup ## the tests that take minutes
	$(PYTEST) -n $(WORKERS) -m slow

audit: setup ## compare all pins with published advisories (needs the internet, or DATABASE=clone of pypa/advisory-database)
ifdef DATABASE
	$(PY) -m scripts.audit --database $(DATABASE)
else
	$(PYTHON) -m venv build/audit && build/audit/bin/python -m pip --disable-pip-version-check install -q pip-audit
	for file in constraints*.txt; do \
	    build/audit/bin/pip-audit --no-deps --disable-pip -r $$file --ignore-vuln PYSEC-2023-163 || exit 1; done
endif

bench: $(BENCH_STAMP) ## speed ratios, native against SyncVectorEnv and ours against BoTorch, in one run
	$(ONE_THREAD) PYTHONPATH=build/holo $(PY) -m scripts.benchmark

# pytorch-holo, which Ehrlich functions are measured against, declares packages that do not go with ours; what is used
# of it needs none of them.
$(BENCH_STAMP): $(STAMP)
	$(PIP) install -c constraints.txt -e ".[bench]"
	$(PIP) install -q --no-deps --upgrade --target build/holo pytorch-holo==0.0.5
	@touch $@

data: setup ## pack the measured landscapes anew from their sources
	$(PY) -m scripts.build_data

# torch comes first, at its pin: left to itself the resolver takes the newest, on Linux with gigabytes of CUDA packages.
constraints: ## resolve every extra anew and rewrite constraints.txt (torch stays at its pin)
	@rm -rf build/constraints && $(PYTHON) -m venv build/constraints
	torch=$$(grep '^torch==' constraints.txt) && build/constraints/bin/python -m pip install $$torch && \
	    build/constraints/bin/python -m pip install $$torch -e ".[all,bench,dev]"
	build/constraints/bin/python -m pip check
	{ sed -n '/^#/p' constraints.txt; \
	    build/constraints/bin/python -m pip freeze --all --exclude pip --exclude-editable | sed 's/+cpu$$//'; \
	} > build/constraints.txt
	mv build/constraints.txt constraints.txt

dist: setup ## build sdist and wheel, install the wheel alone in a new environment and play a campaign there
	rm -rf dist build/dist
	$(PY) -m build --outdir dist .
	$(PYTHON) -m venv build/dist
	build/dist/bin/python -m pip install --disable-pip-version-check -c constraints.txt dist/*.whl
	cd build/dist && bin/python -W error -c "$$IMPORT_CHECK"

define IMPORT_CHECK
from importlib.metadata import version

import gymnasium
import ombo_gym

try:
    import ombo_agents
except ImportError as error:
    assert "ombo-gym[agents]" in str(error), error
else:
    raise AssertionError("expected ombo_agents to ask for its extra, which is not installed here")

assert "site-packages" in ombo_gym.__file__
for name in ("Ombo/GP-v0", "Ombo/TFBind8-v0", "Ombo/Bandit-v0", "Ombo/Landscapes-v0"):
    env = gymnasium.make(f"ombo_gym:{name}", horizon=2)
    env.reset(seed=0)
    env.action_space.seed(0)
    assert not env.step(env.action_space.sample())[2]
    assert env.step(env.action_space.sample())[2]
print("ombo-gym", version("ombo-gym"), "installs, imports and plays from its wheel")
endef
export IMPORT_CHECK

clean: ## remove caches and build output (results/, runs/ and .venv stay)
	rm -rf build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache *.egg-info
	find . -name __pycache__ -type d -not -path "./$(VENV)/*" -prune -exec rm -rf {} +

distclean: clean ## clean, and remove .venv too
	rm -rf $(VENV)
