"""Every client that we know of, outside CI."""

import pytest

pytest.register_assert_rewrite("tests.clients.all.report")
