#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause

# Builds the tree in every way that matters and runs its tests. See usage().

set -u
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1
. devtools/lib/packages.sh

usage()
{
	cat <<'END'
usage: devtools/test.sh [--vm | --vm-kernel] [--no-install] [STAGE...]
Installs what is missing, builds, runs every test that needs no virtual machine. Ends with a line
"N passed, N failed, N skipped" and exit status 0 only if nothing failed.

--vm          also boot guests under QEMU and run the suites on real kernel drivers
--vm-kernel   the same, and once before that build a kernel with what no kernel of Debian has: VFIO
              without an IOMMU, nodes of devices, iommufd. Ten minutes or more; kept in the cache
--no-install  install nothing
STAGE...      only these, of:
END
	stages_print
}

# name, what it does
stages_print()
{
	cat <<'END'
  style    what a program can check of how the code reads
  freebsd  sources for FreeBSD, compiled but not linked
  gcc      gcc, static libraries, unit and functional tests, installation
  clang    clang, unit and functional tests
  shared   gcc, shared libraries, each public header alone as C and as C++, all tests
  dropin   our PCI bus in the place of DPDK's: its headers, its symbols, tests on its EAL
  asan     AddressSanitizer and UndefinedBehaviorSanitizer, all tests
  tsan     ThreadSanitizer, all tests
  fuzz     some seconds of libFuzzer for each of its targets (devtools/fuzz.sh for long runs)
  docs     guides and API reference, without a warning
  vm       guests under QEMU (with --vm)
END
}

ccache_of()
{
	if command -v ccache >/dev/null; then
		echo "ccache $1"
	else
		echo "$1"
	fi
}

# build DIR COMPILER OPTION... : sets up once, builds; a warning is an error
build()
{
	dir=$1
	compiler=$2
	shift 2
	if [ ! -f "$dir/build.ninja" ]; then
		rm -rf "$dir"
		CC=$(ccache_of "$compiler") CXX=$(ccache_of g++) \
			meson setup "$dir" --werror "$@" || return
	fi
	ninja -C "$dir" --quiet
}

# run_tests DIR ARGUMENT... : also tells the summary where the results are
run_tests()
{
	dir=$1
	shift
	results=$dir/meson-logs/testlog.json
	rm -f "$results"
	meson test -C "$dir" --no-rebuild --print-errorlogs "$@"
}

stage_style()
{
	devtools/check-style.sh
}

stage_freebsd()
{
	devtools/check-freebsd.sh
}

stage_gcc()
{
	build build-gcc gcc && run_tests build-gcc --no-suite vm --no-suite style
}

stage_clang()
{
	build build-clang clang && run_tests build-clang --no-suite vm --no-suite style
}

stage_shared()
{
	build build-shared gcc -Ddefault_library=shared -Dcheck_includes=true &&
		run_tests build-shared --no-suite vm --no-suite style
}

run_dropin()
{
	devtools/run-dropin.sh build-shared "$DPDK_ROOT" app/test/dpdk-test-dropin --each "$1"
}

stage_dropin()
{
	facts=$(devtools/dpdk.sh) || return
	eval "$facts"
	include=$DPDK_ROOT/usr/include
	own=$(cd "$include" && echo *-linux-gnu)
	build build-shared gcc -Ddefault_library=shared -Dcheck_includes=true &&
		CC=$(ccache_of gcc) DPDK_LIBS=$(echo "$DPDK_ROOT"/usr/lib/*-linux-gnu) \
		DPDK_HEADERS=$include/dpdk:$include/$own/dpdk:$include/$own:$include \
			devtools/check-dropin.sh &&
		run_dropin driver_dropin && run_dropin pci_vfio_user_irq
}

stage_asan()
{
	build build-asan gcc -Dbuildtype=debug -Doptimization=1 \
		-Db_sanitize=address,undefined -Db_lundef=false &&
		ASAN_OPTIONS=detect_stack_use_after_return=1 \
		UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 \
		run_tests build-asan --no-suite vm --no-suite style --timeout-multiplier 3
}

stage_tsan()
{
	build build-tsan gcc -Dbuildtype=debug -Doptimization=1 \
		-Db_sanitize=thread -Db_lundef=false &&
		TSAN_OPTIONS=halt_on_error=1 \
		run_tests build-tsan --no-suite vm --no-suite style --timeout-multiplier 3
}

stage_fuzz()
{
	devtools/fuzz.sh --seconds 5
}

stage_docs()
{
	if ! command -v doxygen >/dev/null || ! command -v sphinx-build >/dev/null; then
		echo 'doxygen or sphinx is not installed'
		return 77
	fi
	build build-gcc gcc && ninja -C build-gcc doc
}

stage_vm()
{
	[ -z "$vm_kernel" ] || devtools/vm/own-kernel.sh || return
	# without a QEMU that knows vfio-user, the boots that need it are skipped
	devtools/vm/kernel.sh && { devtools/vm/qemu.sh || [ $? -eq 77 ]; } &&
		build build-gcc gcc && run_tests build-gcc --suite vm
}

# One line per stage while it runs, the end of its log if it fails.
run_stage()
{
	name=$1
	results=
	log=build-test/$name.log
	begun=$(date +%s)
	printf '%-8s ' "$name"
	"stage_$name" >"$log" 2>&1 </dev/null
	status=$?
	seconds=$(($(date +%s) - begun))
	count_stage
	add_row
	case $status in
	0) echo "ok ($seconds s)" ;;
	77) echo "skipped ($(tail -n 1 "$log"))" ;;
	*) echo "FAILED ($seconds s), full log: $log"; tail -n 60 "$log" ;;
	esac
}

# Sets passed, failed, skipped: from the results of meson, else from lines in the log, else the
# stage is one test. A stage that failed has at least one failed test.
count_stage()
{
	source=$log
	[ -z "$results" ] || [ ! -f "$results" ] || source=$results
	# shellcheck disable=SC2046 # three words
	set -- $(python3 devtools/lib/count.py "$source")
	passed=${1:-0}
	failed=${2:-0}
	skipped=${3:-0}
	if [ "$status" -eq 77 ]; then
		passed=0 failed=0 skipped=1
	elif [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
		failed=1
	elif [ $((passed + failed + skipped)) -eq 0 ]; then
		passed=1
	fi
}

add_row()
{
	printf '%-8s %7d %7d %8d %8d\n' "$name" "$passed" "$failed" "$skipped" "$seconds" \
		>>build-test/rows
	all_passed=$((all_passed + passed))
	all_failed=$((all_failed + failed))
	all_skipped=$((all_skipped + skipped))
}

vm=
vm_kernel=
install=yes
wanted=
for arg in "$@"; do
	case $arg in
	-h | --help) usage; exit 0 ;;
	--vm) vm=yes ;;
	--vm-kernel) vm=yes vm_kernel=yes ;;
	--no-install) install= ;;
	style | freebsd | gcc | clang | shared | dropin | asan | tsan | fuzz | docs | vm)
		wanted="$wanted $arg" ;;
	*) echo "test.sh: unknown argument \"$arg\" (see --help)" >&2; exit 2 ;;
	esac
done
[ -n "$wanted" ] || wanted="style freebsd gcc clang shared dropin asan tsan fuzz docs${vm:+ vm}"
case " $wanted " in *' vm '*) vm=yes ;; esac

if [ -n "$install" ]; then
	packages_install build test docs ${vm:+vm} ${vm_kernel:+kernel} || exit 1
fi

mkdir -p build-test
: >build-test/rows
all_passed=0 all_failed=0 all_skipped=0
for stage in $wanted; do
	run_stage "$stage"
done

echo
printf '%-8s %7s %7s %8s %8s\n' stage passed failed skipped seconds
cat build-test/rows
echo
if [ -n "$vm" ] && ! devtools/vm/own-kernel.sh --cached >/dev/null 2>&1; then
	echo 'left out: guests with a kernel of our own, see --vm-kernel'
fi
echo "$all_passed passed, $all_failed failed, $all_skipped skipped"
[ "$all_failed" -eq 0 ]
