# Guest programs: C compiled for wasm32 with WASI preview 1, by clang with wasi-libc and wasm-ld.
#
#   add_wasm_guest(NAME source... [OPTIONS flag...])   builds ${PROJECT_BINARY_DIR}/guests/NAME.wasm
#
# The target is guest_NAME; WR_GUEST_DIR is where the modules lie; WR_HAVE_GUESTS says whether the
# toolchain was found (without it the call does nothing).

set(WR_GUEST_DIR "${PROJECT_BINARY_DIR}/guests")
find_program(WR_GUEST_CC NAMES clang-19 clang DOC "clang for wasm32-wasi")
set(WR_GUEST_FLAGS --target=wasm32-wasi -O2 CACHE STRING "Flags for guest programs")
mark_as_advanced(WR_GUEST_CC WR_GUEST_FLAGS)

if(WR_GUEST_CC AND NOT DEFINED WR_HAVE_GUESTS)
    file(WRITE "${CMAKE_BINARY_DIR}/CMakeFiles/guest.c" "#include <stdio.h>\nint main(void) { return puts(\"\"); }\n")
    execute_process(
        COMMAND ${WR_GUEST_CC} ${WR_GUEST_FLAGS} "${CMAKE_BINARY_DIR}/CMakeFiles/guest.c"
                -o "${CMAKE_BINARY_DIR}/CMakeFiles/guest.wasm"
        RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
    if(status EQUAL 0)
        set(WR_HAVE_GUESTS ON CACHE INTERNAL "")
    else()
        message(STATUS "No working toolchain for wasm32-wasi: guest programs are left out")
    endif()
endif()

function(add_wasm_guest name)
    if(NOT WR_HAVE_GUESTS)
        return()
    endif()
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "OPTIONS")
    set(out "${WR_GUEST_DIR}/${name}.wasm")
    set(sources)
    foreach(source IN LISTS arg_UNPARSED_ARGUMENTS)
        cmake_path(ABSOLUTE_PATH source OUTPUT_VARIABLE path)
        list(APPEND sources "${path}")
    endforeach()
    file(MAKE_DIRECTORY "${WR_GUEST_DIR}")
    add_custom_command(OUTPUT "${out}"
        COMMAND ${WR_GUEST_CC} ${WR_GUEST_FLAGS} -MD -MF "${out}.d" -MT "${out}" ${arg_OPTIONS} ${sources} -o "${out}"
        DEPENDS ${sources} DEPFILE "${out}.d"
        COMMENT "Building guest ${name}.wasm" VERBATIM)
    add_custom_target(guest_${name} ALL DEPENDS "${out}")
endfunction()
