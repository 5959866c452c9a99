#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

# Fuzzes what reads bytes of others. See usage().

set -u
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1

usage()
{
	cat <<'END'
usage: devtools/fuzz.sh [--seconds N] [TARGET...]
Builds the fuzzing programs with clang, AddressSanitizer and UndefinedBehaviorSanitizer, and runs
each TARGET, or all of them, for N seconds (60). Starts from the messages that the tests know;
what it learns is kept in build-fuzz/corpus. A finding is left in build-fuzz and ends the run with
status 1; without clang or its libFuzzer the status is 77.
END
}

# can_fuzz : whether clang is here with its libFuzzer
can_fuzz()
{
	dir=$(mktemp -d) || return
	echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return !d && n < 0; }' >"$dir/t.c"
	clang -fsanitize=fuzzer,address,undefined -o "$dir/t" "$dir/t.c" 2>/dev/null
	status=$?
	rm -r "$dir"
	return $status
}

build()
{
	if [ ! -f build-fuzz/build.ninja ]; then
		rm -rf build-fuzz
		CC=clang meson setup build-fuzz --werror -Dfuzz=true -Dtests=false \
			-Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false \
			-Dc_args=-fsanitize=fuzzer-no-link >/dev/null || return
	fi
	# shellcheck disable=SC2046
	ninja -C build-fuzz --quiet $(targets_all | sed 's,^,app/fuzz/fuzz-,')
}

targets_all()
{
	sed -n "s/^fuzz_targets = \[\(.*\)\]/\1/p" app/fuzz/meson.build | tr -d "' " | tr , '\n'
}

# run TARGET SECONDS
run()
{
	program=$top/build-fuzz/app/fuzz/fuzz-$1
	corpus=$top/build-fuzz/corpus/$1
	seeds=$top/build-fuzz/seeds
	mkdir -p "$corpus" "$seeds" && "$program" --seeds "$seeds" || return
	echo "fuzz: $1 for $2 s"
	(cd build-fuzz && UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 "$program" \
		-max_total_time="$2" -max_len=16384 -timeout=20 -rss_limit_mb=4096 \
		-print_final_stats=1 -artifact_prefix="finding-$1-" \
		"$corpus" "$seeds" >"fuzz-$1.log" 2>&1)
	status=$?
	grep -E 'stat::number_of_executed_units|SUMMARY|ERROR|Test unit written' \
		"build-fuzz/fuzz-$1.log"
	return $status
}

seconds=60
while [ $# -gt 0 ]; do
	case $1 in
	--seconds) seconds=${2:-60}; shift ;;
	--help | -h) usage; exit 0 ;;
	-*) usage >&2; exit 2 ;;
	*) break ;;
	esac
	shift
done
can_fuzz || { echo "fuzz: no clang with libFuzzer here" >&2; exit 77; }
build || exit 1
[ $# -gt 0 ] || {
	# shellcheck disable=SC2046
	set -- $(targets_all)
}
failed=0
for target in "$@"; do
	run "$target" "$seconds" || failed=1
done
exit $failed
