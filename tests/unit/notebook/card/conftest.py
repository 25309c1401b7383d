"""The tests of cards share the jobs of `scenes.py`."""

from __future__ import annotations

import sys
from pathlib import Path

# Imported by name, also by the tests of other folders that add this one.
sys.path.insert(0, str(Path(__file__).parent))
