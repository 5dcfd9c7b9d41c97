"""`python -m posed_recipe` is `posed-recipe`."""

import sys

from posed_recipe.cli import main

sys.exit(main())
