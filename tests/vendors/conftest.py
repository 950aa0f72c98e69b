"""These checks need Node and the packages of package-lock.json: `make vendors` installs them."""

from __future__ import annotations

import pytest

from tests.vendors.tsc import COMPILER


@pytest.fixture(autouse=True, scope="session")
def the_vendors_packages() -> None:
    if not COMPILER.exists():
        pytest.exit("tests/vendors needs its npm packages: run `make vendors`", returncode=2)
