# Installs what is missing, for examples/run.sh and tests/run.sh, which source this file. POSIX sh.
#
#   strait_need <package> <test command...>   notes the Debian package as missing unless the command succeeds
#   strait_install                            installs what was noted, as root or through sudo
#
# What counts is the thing, not the package: a compiler or a header from elsewhere is as good.

strait_missing=

strait_need() {
  package=$1
  shift
  if ! "$@" >/dev/null 2>&1; then
    strait_missing="$strait_missing $package"
  fi
}

strait_command() { command -v "$1"; }

# A header that the compiler finds. Before there is a compiler, every header counts as missing; installing it again is harmless.
strait_header() { echo "#include <$1>" | "${CXX:-c++}" -x c++ -std=c++20 -fsyntax-only - ; }

strait_need_builder() {
  strait_need g++ strait_command "${CXX:-c++}"
  strait_need cmake strait_command cmake
  # Either is enough; ninja is the faster one.
  if ! strait_command make >/dev/null; then
    strait_need ninja-build strait_command ninja
  fi
  strait_need libboost-dev strait_header boost/interprocess/shared_memory_object.hpp
}

strait_need_tests() {
  strait_need catch2 strait_catch2
  strait_need libbenchmark-dev strait_header benchmark/benchmark.h
  strait_need relacy-dev strait_header relacy/relacy.hpp
  strait_need pkgconf strait_command pkg-config
}

# What a preset for another system or processor is compiled with and runs on. (g++-12-multilib, not g++-multilib: that one does not
# live beside the cross compilers.)
strait_need_cross() {
  case $1 in
  windows)
    strait_need g++-mingw-w64-x86-64-posix strait_command x86_64-w64-mingw32-g++-posix
    strait_need wine strait_command wine
    strait_need wine64 test -e /usr/lib/wine/wine64 ;;
  linux32) strait_need g++-12-multilib strait_m32 ;;
  aarch64 | riscv64)
    strait_need "g++-$1-linux-gnu" strait_command "$1-linux-gnu-g++"
    strait_need qemu-user strait_command "qemu-$1" ;;
  esac
}

strait_m32() { echo '#include <vector>' | g++-12 -m32 -idirafter /usr/include/x86_64-linux-gnu -x c++ -fsyntax-only - ; }

strait_clang_sanitizers() { echo 'int main() {}' | clang++ -fsanitize=address,undefined -x c++ - -o /dev/null ; }

strait_catch2() { strait_header catch2/catch_all.hpp || strait_header catch2/catch.hpp; }

strait_install() {
  if [ -z "$strait_missing" ]; then
    return 0
  fi
  if ! strait_command apt-get >/dev/null; then
    echo "Missing (names of Debian's packages):$strait_missing. Please install them and start again." >&2
    return 1
  fi
  as_root=
  if [ "$(id -u)" -ne 0 ]; then
    if ! strait_command sudo >/dev/null; then
      echo "Missing packages:$strait_missing. Please install them as root and start again." >&2
      return 1
    fi
    as_root=sudo
  fi
  echo "Installing:$strait_missing"
  # shellcheck disable=SC2086 # lists of words on purpose
  {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $strait_missing
  }
  strait_missing=
}

# Ninja where there is one; a person's own choice in CMAKE_GENERATOR comes first.
strait_choose_generator() {
  if [ -z "${CMAKE_GENERATOR:-}" ] && strait_command ninja >/dev/null; then
    CMAKE_GENERATOR=Ninja
    export CMAKE_GENERATOR
  fi
}

strait_jobs() { nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1; }

strait_fuzzer() { echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' | clang++ -x c++ -fsanitize=fuzzer,address - -o /dev/null; }
