# SPDX-License-Identifier: Apache-2.0

PYTHON ?= python3
PREFIX ?= /usr/local
VENV := .venv
BIN := $(VENV)/bin
SYSTEM := $(shell uname -s)
SWIFT_FORMAT := $(if $(filter Darwin,$(SYSTEM)),xcrun )swift-format
LIBRARY := build/libnono.$(if $(filter Darwin,$(SYSTEM)),dylib,so)

SWIFT_SOURCES := $(shell find Sources Tests -name '*.swift') Package.swift
LIBRARY_SOURCES := $(shell find Sources include -type f) Package.swift scripts/build-library.sh
PYTHON_SOURCES := $(shell find python -name '*.c' -o -name '*.h' -o -name '*.py' -o -name '*.pyi') pyproject.toml setup.py
C_SOURCES := $(shell find include Sources python Tests tests-py examples demo benchmarks -name '*.c' -o -name '*.h')
TYPED := python/nono_py examples demo tests-py scripts setup.py

.PHONY: all setup check test test-swift test-c test-python test-install compare demo containment bench bench-syscalls fmt install clean help

all: $(LIBRARY) ## build libnono.so, on macOS libnono.dylib

help: ## list what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1	\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: ## install the Debian packages that are missing, or name them
	@scripts/setup.sh

$(LIBRARY): $(LIBRARY_SOURCES)
	scripts/build-library.sh $@
	@touch $@

$(VENV)/.tools: requirements-dev.txt | setup
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@

$(VENV)/.package: $(VENV)/.tools $(LIBRARY_SOURCES) $(PYTHON_SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --force-reinstall .
	@touch $@

# Tests that want one of these are skipped without it.
$(VENV)/.extra: $(VENV)/.tools requirements-test-extra.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-test-extra.txt || \
	    echo "the packages of requirements-test-extra.txt cannot be installed: their tests are skipped" >&2
	@touch $@

demo: $(VENV)/.package ## show real programs being contained
	@$(BIN)/python demo/demo.py

containment: $(VENV)/.package ## try every known way out, here and in the originals: docs/containment.md
	@$(BIN)/python tests-py/containment/table.py

bench: $(VENV)/.package ## measure beside the originals and C; QUICK=1 takes less than a minute
	$(BIN)/python benchmarks/run.py $(if $(QUICK),--quick)

bench-syscalls: $(LIBRARY) ## measure what a sandbox costs: docs/benchmarks.md
	@$(PYTHON) benchmarks/syscall_cost.py

test: $(VENV)/.package $(LIBRARY) ## run every test: Swift, C, Python, installing, side by side with the original
	@$(BIN)/python scripts/run_tests.py

test-swift: | setup
	swift test --scratch-path .build

test-c: $(LIBRARY) | setup
	$(MAKE) --directory Tests/c

test-python: $(VENV)/.package $(VENV)/.extra
	$(BIN)/python -m pytest tests-py

test-install: $(VENV)/.tools
	$(BIN)/python scripts/test_install.py

compare: $(VENV)/.package ## run random programs under the original 0.4.0 too, and explain every difference
	$(BIN)/python tests-py/compare/run.py

check: $(VENV)/.package $(LIBRARY) ## formats, lints, types, exports
	$(SWIFT_FORMAT) lint --strict --parallel --configuration .swift-format $(SWIFT_SOURCES)
	$(BIN)/clang-format --dry-run -Werror $(C_SOURCES)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict $(TYPED)
	$(BIN)/mypy --strict benchmarks
	$(BIN)/python -m mypy.stubtest --allowlist tests-py/stubtest-allowlist.txt nono_py
	$(MAKE) --no-print-directory --directory Tests/c header
	scripts/check-exports.sh $(LIBRARY)
	scripts/check-boundary.sh
	$(if $(filter Darwin,$(SYSTEM)),,scripts/check-macos.sh)
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	scripts/check-raw.sh

fmt: $(VENV)/.tools ## format everything
	$(SWIFT_FORMAT) format --in-place --parallel --configuration .swift-format $(SWIFT_SOURCES)
	$(BIN)/clang-format -i $(C_SOURCES)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

install: $(LIBRARY) ## install the library, the header and the pkg-config file below PREFIX
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include
	install -m 755 $(LIBRARY) $(DESTDIR)$(PREFIX)/lib/$(notdir $(LIBRARY))
	$(if $(filter Darwin,$(SYSTEM)),install_name_tool -id $(PREFIX)/lib/libnono.dylib $(DESTDIR)$(PREFIX)/lib/libnono.dylib)
	$(if $(filter Darwin,$(SYSTEM)),codesign --force --sign - $(DESTDIR)$(PREFIX)/lib/libnono.dylib)
	install -m 644 include/nono.h $(DESTDIR)$(PREFIX)/include/nono.h
	sed 's|@PREFIX@|$(PREFIX)|' scripts/nono.pc.in >$(DESTDIR)$(PREFIX)/lib/pkgconfig/nono.pc

clean: ## remove everything that was built
	rm -rf build .build .build-embedded .build-release $(VENV) python/*.egg-info dist
