# Every target can be the first command on a fresh Debian machine with python3, git and make.
.PHONY: help ready system demo test test-all bounds check bench screenshots docs site wheel clean

PYTHON = .venv/bin/python
PYTEST = $(PYTHON) -m pytest

help:
	@echo "make demo         seeded segmentation of real nuclei, in a napari window"
	@echo "make test         all tests, every operation on a sample of the kinds of images"
	@echo "make test-all     all tests, every operation on all kinds of images, core on the oldest libraries"
	@echo "make bounds       every operation on extreme images, each index of compiled loops checked"
	@echo "make check        format, lint, types, dependencies, import rules, manifest"
	@echo "make bench        side-by-side measurements with scikit-image"
	@echo "make screenshots  the pictures in docs/images"
	@echo "make docs         the pages of docs/ and the parts of the manifest that are generated"
	@echo "make site         the documentation with a reference of core, to browse and search, in site/"
	@echo "make wheel        the wheel and the source archive, in dist/"

.venv/stamp: pyproject.toml scripts/make_venv.sh
	scripts/make_venv.sh .venv

system:
	@scripts/system_packages.sh

ready: system .venv/stamp

demo: ready
	scripts/demo.sh

test: ready
	scripts/test.sh

test-all: export SEEDBED_TESTS = all
test-all: test
	scripts/check_oldest.sh

# A cache of its own: what is compiled with these checks is slower, and must not be kept for users.
bounds: ready
	SEEDBED_TESTS=all NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$(CURDIR)/.venv/checked-bounds \
	    $(PYTEST) -q tests/pipeline/operations/test_every_operation.py -k "large_and_small or small_and_thin"

check: ready
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(PYTHON) -m deptry src
	$(PYTHON) -m deptry tests tests/core tests/gui tests/pipeline scripts benchmarks docs examples src \
	    --exclude .venv --ignore DEP002,DEP004
	$(PYTEST) -q tests/test_layers.py tests/test_docs.py tests/gui/hooks/test_manifest.py

bench: ready
	$(PYTHON) -m pip install -qq --disable-pip-version-check --editable '.[bench]'
	$(PYTHON) benchmarks/random_walker.py
	$(PYTHON) benchmarks/quality_scribbles.py
	$(PYTHON) benchmarks/quality_colour.py
	$(PYTHON) benchmarks/quality_robot3d.py
	$(PYTHON) benchmarks/quality_robot3d.py --uncertain
	$(PYTHON) benchmarks/quality_many.py
	$(PYTHON) benchmarks/quality_lessons.py
	$(PYTHON) benchmarks/first_run.py
	$(PYTHON) benchmarks/snakes.py
	$(PYTHON) benchmarks/batch.py
	$(PYTHON) benchmarks/quality_snakes.py --sizes
	$(PYTHON) benchmarks/objects.py
	$(PYTHON) benchmarks/proofreading.py
	scripts/with_display.sh $(PYTHON) docs/proofreading_hour.py
	$(PYTHON) benchmarks/regions.py
	$(PYTHON) benchmarks/filters.py
	$(PYTHON) benchmarks/own_code.py
	$(PYTHON) benchmarks/forecasts.py --sizes 64 128 --most 10
	$(PYTHON) benchmarks/classifier.py
	$(PYTHON) benchmarks/scale.py
	$(PYTHON) benchmarks/scale.py gaussian sato label --workers

screenshots: ready
	env -u DISPLAY -u WAYLAND_DISPLAY scripts/with_display.sh $(PYTHON) docs/screenshots.py

docs: ready
	$(PYTHON) docs/make_reference.py
	$(PYTHON) scripts/make_manifest.py

# Warnings are errors: a link or a cross reference that leads nowhere is one.
site: ready
	$(PYTHON) -m pip install -qq --disable-pip-version-check --editable '.[site]'
	$(PYTHON) -m sphinx -q -W --keep-going -d .venv/doctrees docs site

wheel: .venv/stamp
	$(PYTHON) -m pip install -qq --disable-pip-version-check build
	$(PYTHON) -m build --outdir dist .

clean:
	rm -rf .venv demo-output bench-output dist build site docs/core
