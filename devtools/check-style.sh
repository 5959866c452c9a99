#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

# Checks what a program can check of how our code reads. One line per rule, in cmocka's form.

cd "$(dirname "$0")/.." || exit 1
failed=0

# Names of the tree's files, tracked or about to be; of all files where there is no git.
tree=$(git -c safe.directory='*' ls-files --cached --others --exclude-standard 2>/dev/null ||
	find . -type f -not -path './build*' | sed 's,^[.]/,,')

# files EXPRESSION... : names that one of the extended regular expressions matches to the end
files()
{
	for expression in "$@"; do
		echo "$tree" | grep -E "(^|/)($expression)\$"
	done | sort -u | while read -r name; do
		[ ! -f "$name" ] || echo "$name"
	done
}

c_files()
{
	files '[^/]*[.][ch]'
}

python_files()
{
	files '[^/]*[.]py'
}

shell_files()
{
	files '[^/]*[.]sh' '[.]ci/run' 'guest/init'
}

code_files()
{
	c_files
	python_files
	shell_files
	files meson.build meson_options.txt Kbuild
}

text_files()
{
	code_files
	files '[^/]*[.](rst|md|in)' MAINTAINERS VERSION
}

# Each rule prints what breaks it, and nothing else.

rule_license_in_the_head()
{
	code_files | xargs awk '
		function check() { if (name != "" && !seen) print name ": no SPDX line" }
		FNR == 1 { check(); seen = 0; name = FILENAME }
		FNR <= 2 && /SPDX-License-Identifier: BSD-3-Clause/ { seen = 1 }
		END { check() }'
}

rule_no_blanks_at_line_end()
{
	text_files | xargs grep -nE '[[:blank:]]+$' /dev/null
}

rule_newline_at_the_end()
{
	text_files | xargs python3 -c '
import sys
for name in sys.argv[1:]:
    if open(name, "rb").read()[-1:] not in (b"", b"\n"):
        print(name + ": no newline at the end")'
}

# a tab is eight columns
rule_at_most_100_columns()
{
	code_files | xargs awk '
		{
			width = 0
			n = split($0, part, "\t")
			for (i = 1; i <= n; i++) {
				width += length(part[i])
				if (i < n)
					width += 8 - width % 8
			}
		}
		width > 100 { print FILENAME ":" FNR ": " width " columns" }'
}

rule_indent_with_tabs()
{
	{ c_files; files meson.build; } |
		xargs grep -nE '^	* {2,}[^ *]' /dev/null
}

rule_export_macros_at_column_0()
{
	c_files | grep -v eal_export.h |
		xargs grep -nE '^.+RTE_EXPORT_[A-Z_]*SYMBOL *\(' /dev/null |
		grep -vE ':[0-9]+: \*|:[0-9]+:/[/*]|"'
}

rule_no_unfinished_marks()
{
	code_files | grep -v check-style.sh |
		xargs grep -nE '\b(TODO|FIXME|XXX)\b' /dev/null
}

rule_no_paths_or_hosts_of_a_machine()
{
	text_files | xargs grep -nE \
		-e '(^|[^a-z.])/([w]ork|[r]oot|home/[a-z]+)/' \
		-e '(deb|ftp|security|snapshot)[.][a-z.]*debian[.]org' /dev/null
}

# in memory, so that no file is left behind
rule_python_compiles()
{
	python_files | xargs python3 -c '
import sys
for name in sys.argv[1:]:
    try:
        compile(open(name).read(), name, "exec")
    except SyntaxError as error:
        print(error)'
}

rule_shell_parses()
{
	shell_files | while read -r name; do
		case $(head -n 1 "$name") in
		*bash*) bash -n "$name" 2>&1 ;;
		*) sh -n "$name" 2>&1 ;;
		esac
	done
}

rule_maintainers_have_each_file()
{
	echo "$tree" | while read -r name; do
		[ ! -f "$name" ] || echo "$name"
	done | python3 devtools/lib/maintainers.py MAINTAINERS
}

rule_shellcheck_is_content()
{
	shell_files | xargs shellcheck -x -f gcc -S warning
}

check()
{
	echo "[ RUN      ] $1"
	found=$("rule_$1")
	if [ -z "$found" ]; then
		echo "[       OK ] $1"
	else
		echo "$found"
		echo "[  FAILED  ] $1"
		failed=1
	fi
}

skip()
{
	echo "[ RUN      ] $1"
	echo "$2"
	echo "[  SKIPPED ] $1"
}

case ${1:-} in
-h | --help)
	echo 'usage: devtools/check-style.sh'
	sed -n 's/^# \(Checks what\)/\1/p' "$0"
	exit 0
	;;
esac

check license_in_the_head
check no_blanks_at_line_end
check newline_at_the_end
check at_most_100_columns
check indent_with_tabs
check export_macros_at_column_0
check no_unfinished_marks
check no_paths_or_hosts_of_a_machine
check python_compiles
check shell_parses
check maintainers_have_each_file
if command -v shellcheck >/dev/null; then
	check shellcheck_is_content
else
	skip shellcheck_is_content 'shellcheck is not installed'
fi
exit "$failed"
