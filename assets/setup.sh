# setup.sh - from a fresh machine to a built tree; sourced by assets/start and tests/run.
#
# In:   $root, the source tree (the working directory, too); $cpu_only, 1 when a machine with a GPU may do without it.
# Out:  Debian packages installed, build/deps/torch, build/models/NAME, build/PRESET.
# Each step looks at what is there first, says in one line what it does, leaves nothing half-done when it is
# interrupted, and ends the script with one sentence when it cannot go on. Nothing goes into the system's Python.
# shellcheck shell=bash disable=SC2034,SC2154 # variables that pass between this and the sourcing script

packages=(gcc g++ cmake ninja-build pkg-config python3 libutf8proc-dev libxxhash-dev libyaml-dev libsimdjson-dev
	libfaiss-dev libsqlite3-dev libncurses-dev libreadline-dev libonig-dev)
test_packages=(libcmocka-dev tmux strace clang libclang-rt-dev) # clang: 45 MB, for libFuzzer

say() {
	printf -- '-- %s\n' "$*" >&2
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# One set-up at a time: a second script waits for the first. Released by setup_end, before the long work starts.
setup_begin() {
	if ! { mkdir -p build/deps build/models && : >>build/deps/.lock; } 2>/dev/null; then
		die "cannot write to $root/build: give $(id -un) the right to, or clone into a folder of your own"
	fi
	exec 9>>build/deps/.lock
	if ! flock -n 9; then
		say "another set-up is at work in this tree: waiting for it"
		flock 9
	fi
	setup_log=$root/build/setup.log
	rm -rf build/deps/.new.* build/models/.new.*
	trap 'rm -rf "$root"/build/deps/.new.* "$root"/build/models/.new.*' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

setup_end() {
	trap - EXIT INT TERM
	exec 9>&-
}

# need_disk MB WHAT: ends here rather than in the middle of a download.
need_disk() {
	local free
	free=$(df -Pm build/deps/. | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$1" ] ||
		die "$2 needs $1 MB of disk below $root/build and $free MB are free: make room, then run this again"
}

# The reason that a failed command left in the log, for a sentence.
last_words() {
	if grep -q 'connection broken' "$setup_log"; then
		echo "no connection to the package index"
		return
	fi
	grep -E '^(E:|ERROR|.*[Ee]rror)' "$setup_log" | tail -n 1 | cut -c 1-200
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# setup_packages NAME...: installs the Debian packages that are missing.
setup_packages() {
	local package missing=() apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
	if ! command -v dpkg-query >/dev/null; then
		say "packages: not a Debian or Ubuntu system; what these hold must be there: $*"
		return
	fi
	for package; do
		is_installed "$package" || missing+=("$package")
	done
	if [ ${#missing[@]} = 0 ]; then
		say "packages: all $# are installed"
		return
	fi
	if [ "$(id -u)" != 0 ] && ! { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }; then
		die "no right to install packages: run 'apt-get install ${missing[*]}' as root, then run this again"
	fi
	say "packages: installing ${missing[*]}"
	if ! as_root "${apt[@]}" update >"$setup_log" 2>&1 ||
		! as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >>"$setup_log" 2>&1; then
		die "apt-get could not install ${missing[*]} ($(last_words)): check network and disk, then run this again ($setup_log has the details)"
	fi
}

# Prints a python3 that has pip. Debian's is asked last: a venv's or pyenv's need not have the system's rights.
python_with_pip() {
	local python
	for python in python3 /usr/bin/python3; do
		if "$python" -m pip --version >/dev/null 2>&1; then
			echo "$python"
			return
		fi
	done
	return 1
}

# fetch_wheels PINS FOLDER: downloads the wheels of assets/pins/PINS.txt, each checked by its SHA-256.
# Python's version and the platforms are named, so that the local Python does not matter (pip takes the platforms
# by their names, older ones are not implied); pip only downloads, it installs nothing.
fetch_wheels() {
	local python platform platforms=()
	for platform in manylinux2014 manylinux_2_{17,24,25,26,27,28}; do
		platforms+=(--platform "${platform}_x86_64")
	done
	if ! python_with_pip >/dev/null; then
		setup_packages python3-pip
	fi
	python=$(python_with_pip) || die "python3 has no pip: install the package python3-pip, then run this again"
	mkdir -p "$2/tmp"
	TMPDIR=$2/tmp "$python" -m pip download --disable-pip-version-check --no-cache-dir --quiet --no-deps \
		--only-binary :all: --require-hashes --python-version 3.11 --implementation cp "${platforms[@]}" \
		--dest "$2" --requirement "assets/pins/$1.txt" >"$setup_log" 2>&1
}

fetch_failed() {
	die "could not download $1 ($(last_words)): check the network and pip's proxy and index settings, then run this again ($setup_log has the details)"
}

# unzip_wheels FOLDER PATTERN...: those members of the wheels in FOLDER that match a pattern, below FOLDER/out.
unzip_wheels() {
	python3 - "$@" 2>>"$setup_log" <<'P' || die "could not unpack what was fetched ($(last_words)): check the disk, then run this again"
import fnmatch, glob, os, sys, zipfile

folder, patterns = sys.argv[1], sys.argv[2:]
for path in glob.glob(folder + "/*.whl"):
    with zipfile.ZipFile(path) as wheel:
        for member in wheel.infolist():
            if any(fnmatch.fnmatch(member.filename, p) for p in patterns):
                place = wheel.extract(member, folder + "/out")
                if not member.is_dir() and member.external_attr >> 16 & 0o111:
                    os.chmod(place, 0o755)
P
}

# A cmake that knows the presets of this tree: the system's, or one fetched to build/deps/cmake and put first in PATH.
setup_cmake() {
	local oldest=3.25 found new=build/deps/.new.cmake
	[ -x build/deps/cmake/data/bin/cmake ] && PATH=$root/build/deps/cmake/data/bin:$PATH
	found=$(cmake --version | sed -n 's/^cmake version //p')
	if [ "$(printf '%s\n' "$oldest" "$found" | sort -V | head -n 1)" = "$oldest" ]; then
		return
	fi
	need_disk 200 "cmake"
	say "cmake: $found is older than $oldest: fetching a newer one (27 MB)"
	fetch_wheels cmake "$new" || fetch_failed "cmake"
	unzip_wheels "$new" 'cmake/data/*'
	mv "$new/out/cmake" build/deps/cmake
	rm -rf "$new"
	PATH=$root/build/deps/cmake/data/bin:$PATH
}

# torch: VECSMITH_TORCH, else the active venv's or python3's, else build/deps/torch (see shim/torch.cmake), else its CPU part
# is fetched. The choice is exported for cmake.
setup_torch() {
	local found new=build/deps/.new.torch
	found=$(cmake -P shim/torch.cmake 2>"$setup_log") ||
		die "$(tr -s '[:space:]' ' ' <"$setup_log" | sed 's/^.*(message): *//; s/ $//')"
	if [ -z "$found" ]; then
		if [ -e /dev/nvidiactl ] && [ "$cpu_only" != 1 ]; then
			setup_packages python3-venv
			die "this machine has a GPU but no torch: type 'python3 -m venv build/deps/venv && build/deps/venv/bin/pip install torch==2.11.0 && . build/deps/venv/bin/activate' (2.7 GB), then run this again, or add --cpu to go on without the GPU"
		fi
		[ "$(uname -m)" = x86_64 ] ||
			die "torch's CPU part is pinned for x86-64 alone: install torch 2.11 or newer into a venv, activate it, then run this again"
		need_disk 1200 "torch"
		say "torch: fetching the CPU part of 2.11.0 (550 MB, 500 MB are kept)"
		fetch_wheels torch "$new" || fetch_failed "torch"
		unzip_wheels "$new" 'torch/include/*' 'torch/lib/libtorch_cpu.so' 'torch/lib/libc10.so' 'torch/lib/libgomp*' \
			'torch/version.py' '*/LICENSE*' '*/NOTICE*' '*/libcudart.so.13' '*/libcupti.so.13'
		rm -rf build/deps/nvidia build/deps/torch
		mv "$new/out/nvidia" build/deps/nvidia
		mv "$new"/out/torch-*.dist-info "$new/out/torch/licenses"
		mv "$new/out/torch" build/deps/torch # last: its presence means that all is there
		rm -rf "$new"
		found=$(cmake -P shim/torch.cmake)
	fi
	say "torch: $found"
	export VECSMITH_TORCH=${found#* }
}

# setup_model NAME: build/models/NAME as a Hugging Face folder.
setup_model() {
	local new=build/models/.new.$1 pins fetched=
	if [ -e "build/models/$1/model.safetensors" ]; then
		say "model: build/models/$1"
		return
	fi
	need_disk 800 "the model $1"
	say "model: fetching $1 into build/models"
	for pins in assets/pins/"$1".txt assets/pins/"$1".[0-9].txt; do
		rm -rf "$new"
		if [ -e "$pins" ] && fetch_wheels "$(basename "$pins" .txt)" "$new"; then
			fetched=1
			break
		fi
	done
	[ "$fetched" ] || fetch_failed "the model $1"
	python3 assets/models.py "$1" "$new" "$new/out" || die "the model $1 could not be laid out: see the line above"
	rm -rf "build/models/$1"
	mv "$new/out" "build/models/$1"
	rm -rf "$new"
}

# nproc would obey OMP_NUM_THREADS, which is about something else.
cores() {
	env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc
}

# How many compilers at a time: one a core, and 1.5 GB of memory each.
build_jobs() {
	local n=$((($(awk '/^MemAvailable/ { print $2 }' /proc/meminfo) + 1) / 1500000))
	[ "$n" -le "$(cores)" ] || n=$(cores)
	[ "$n" -ge 1 ] || n=1
	echo "$n"
}

# build PRESET TARGET...: configures and builds build/PRESET; no target: all.
build() {
	local preset=$1 log=$root/build/$1.log started=$SECONDS
	shift
	need_disk 1000 "the build"
	say "build: preset $preset with $(build_jobs) jobs"
	cmake --preset "$preset" >"$log" 2>&1 || build_failed "$log" "cmake --preset $preset"
	if [ -t 2 ]; then
		cmake --build --preset "$preset" -j "$(build_jobs)" ${1:+--target "$@"} >&2 ||
			die "the build failed: see the lines above"
	else
		cmake --build --preset "$preset" -j "$(build_jobs)" ${1:+--target "$@"} >>"$log" 2>&1 ||
			build_failed "$log" "cmake --build --preset $preset"
	fi
	say "build: build/$preset is ready after $((SECONDS - started)) s"
}

build_failed() {
	tail -n 40 "$1" >&2
	die "'$2' failed: the lines above are the end of $1"
}
