# WR_COMPILER: the compiler that tests use. This build's; or, where none is built (for other architectures, under the
# thread sanitizer), that of another build, told to compile for what tests run on. Empty: there is none.
set(WR_AOT_PROGRAM "" CACHE FILEPATH "wasmrun-aot of another build, for tests where none is built")

set(WR_COMPILER "")
if(TARGET wasmrun-aot)
    set(WR_COMPILER "$<TARGET_FILE:wasmrun-aot>")
elseif(WR_AOT_PROGRAM AND CMAKE_CROSSCOMPILING)
    set(WR_COMPILER "${PROJECT_BINARY_DIR}/cross-aot")
    file(WRITE "${WR_COMPILER}" "#!/bin/sh\nexec '${WR_AOT_PROGRAM}' ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu\n")
    file(CHMOD "${WR_COMPILER}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE)
elseif(WR_AOT_PROGRAM)
    set(WR_COMPILER "${WR_AOT_PROGRAM}")
endif()
