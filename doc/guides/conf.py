# SPDX-License-Identifier: BSD-3-Clause
"""Sphinx settings of the guides."""

project = "dpdk-vfio"
copyright = "The dpdk-vfio contributors"  # pylint: disable=redefined-builtin
html_theme = "sphinx_rtd_theme"
html_show_copyright = False
html_show_sphinx = False
highlight_language = "none"
nitpicky = True

try:
    import sphinx_rtd_theme  # noqa: F401  pylint: disable=unused-import
except ImportError:
    html_theme = "alabaster"
