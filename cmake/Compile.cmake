# How our C is compiled and linked: language, warnings, sanitizers, include paths of the layers.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_DEBUG "-Og -g")
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

set(WR_WARNINGS -Wall -Wextra -Wshadow -Wconversion -Wswitch-enum -Wmissing-prototypes
    -Wstrict-prototypes -Wvla -Wundef $<$<C_COMPILER_ID:GNU>:-Wno-sign-conversion>)

# Contraction would fuse a*b+c and change what Wasm programs compute; errno of math functions is
# never read, and without it sqrt is one instruction.
set(WR_CODEGEN -ffp-contract=off -fno-math-errno)

if(WR_SANITIZE)
    set(WR_SANITIZE_FLAGS -fsanitize=${WR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
endif()

function(wr_compile_options target)
    set(options ${WR_WARNINGS} ${WR_CODEGEN} ${WR_SANITIZE_FLAGS}
        $<$<BOOL:${WR_WERROR}>:-Werror> $<$<BOOL:${WR_FUZZ}>:-fsanitize=fuzzer-no-link>)
    target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:C>:${options}>")
endfunction()

# Sources, of the current folder, that are not run often enough for their speed to matter: small instead.
function(wr_compile_small)
    set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS "$<$<CONFIG:Release>:-Os>")
endfunction()

# Relative relocations, of which dispatch tables make thousands, as a bit map: 2 KB instead of 130.
include(CheckLinkerFlag)
check_linker_flag(C -Wl,-z,pack-relative-relocs WR_HAVE_PACKED_RELOCATIONS)

function(wr_link_options target)
    target_link_options(${target} PRIVATE ${WR_SANITIZE_FLAGS})
    if(WR_HAVE_PACKED_RELOCATIONS)
        target_link_options(${target} PRIVATE -Wl,-z,pack-relative-relocs)
    endif()
endfunction()

# SIMDe's headers say what vector instructions mean in terms of the host's. They are independent of the
# target, but the folder they lie in is not; so this one folder of it is made visible.
find_path(SIMDE_INCLUDE simde/wasm/relaxed-simd.h REQUIRED NO_CMAKE_FIND_ROOT_PATH)
mark_as_advanced(SIMDE_INCLUDE)
file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/headers")
file(CREATE_LINK "${SIMDE_INCLUDE}/simde" "${PROJECT_BINARY_DIR}/headers/simde" SYMBOLIC)

# What a layer may include, by folder. wasi sees the public header alone, which keeps it honest.
set(WR_INCLUDES_runtime runtime embed/include)
set(WR_INCLUDES_interpreter interpreter runtime embed/include)
set(WR_INCLUDES_aot aot runtime embed/include)
set(WR_INCLUDES_embed embed embed/include aot interpreter runtime)
set(WR_INCLUDES_wasi wasi embed/include)
set(WR_INCLUDES_spec-tests spec-tests embed/include aot runtime)
set(WR_INCLUDES_cli cli embed/include runtime aot spec-tests)

function(wr_layer_includes target layer)
    foreach(dir IN LISTS WR_INCLUDES_${layer})
        target_include_directories(${target} PRIVATE
            "${PROJECT_SOURCE_DIR}/${dir}" "${PROJECT_BINARY_DIR}/${dir}")
    endforeach()
    if(NOT layer STREQUAL "wasi")
        target_include_directories(${target} SYSTEM PRIVATE "${PROJECT_BINARY_DIR}/headers")
    endif()
endfunction()

# The object library wr_<layer>; called in the folder, so that what is generated there belongs to it. Nothing unwinds
# our frames (docs/rationale.md); debuggers find how to in what -g adds.
function(wr_add_layer layer)
    add_library(wr_${layer} OBJECT)
    wr_compile_options(wr_${layer})
    target_compile_options(wr_${layer} PRIVATE
        "$<$<CONFIG:Release>:-fno-asynchronous-unwind-tables;-fno-unwind-tables>")
    wr_layer_includes(wr_${layer} ${layer})
endfunction()
