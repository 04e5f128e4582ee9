# Finds LLVM 19 for the compiler, wasmrun-aot. Without it, or with WR_AOT=OFF, all else is built: artifacts can
# be run then, but not made. Its C API alone is used.

option(WR_AOT "Build the compiler, if LLVM 19 is found" ON)
set(WR_HAVE_LLVM FALSE)
if(WR_AOT AND NOT CMAKE_CROSSCOMPILING AND NOT WR_SANITIZE STREQUAL "thread")
    find_program(LLVM_CONFIG llvm-config-19)
    mark_as_advanced(LLVM_CONFIG)
    if(LLVM_CONFIG)
        execute_process(COMMAND "${LLVM_CONFIG}" --includedir OUTPUT_VARIABLE WR_LLVM_INCLUDE
                        OUTPUT_STRIP_TRAILING_WHITESPACE)
        execute_process(COMMAND "${LLVM_CONFIG}" --libdir OUTPUT_VARIABLE WR_LLVM_LIBDIR
                        OUTPUT_STRIP_TRAILING_WHITESPACE)
        execute_process(COMMAND "${LLVM_CONFIG}" --version OUTPUT_VARIABLE WR_LLVM_VERSION
                        OUTPUT_STRIP_TRAILING_WHITESPACE)
        find_library(WR_LLVM_LIBRARY NAMES LLVM-19 HINTS "${WR_LLVM_LIBDIR}")
        mark_as_advanced(WR_LLVM_LIBRARY)
        if(WR_LLVM_LIBRARY AND EXISTS "${WR_LLVM_INCLUDE}/llvm-c/Core.h")
            set(WR_HAVE_LLVM TRUE)
        endif()
    endif()
    if(NOT WR_HAVE_LLVM)
        message(STATUS "LLVM 19 was not found: wasmrun-aot is not built")
    endif()
endif()
