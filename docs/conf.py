"""How the documentation becomes HTML: ``make docs``. No page is fetched; a broken link fails the build."""

from gongfen import __version__

project = "Gongfen 工分"
author = "The Gongfen contributors"
copyright = "The Gongfen contributors, Apache-2.0"
release = version = __version__

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
nitpicky = True

html_theme = "furo"
html_title = "Gongfen 工分"
html_show_sourcelink = False
html_copy_source = False
highlight_language = "text"
