# 32-bit programs on a 64-bit x86 Linux, by g++-12-multilib. (g++-multilib without a version does not live beside the cross compilers.)
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR i686)
set(CMAKE_CXX_COMPILER g++-12)
# asm/*.h: the folder that gcc-multilib would link to.
set(CMAKE_CXX_FLAGS_INIT "-m32 -idirafter /usr/include/x86_64-linux-gnu")
