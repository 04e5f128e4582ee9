# The command is linked statically where the C library can be: half of the time that a dynamically linked
# hello world takes goes into finding, mapping and relocating the C library. It stays position independent.
# libwasmrun.so is not concerned. Sanitizers need a dynamic executable.

include(CheckLinkerFlag)
option(WR_STATIC "Link the command statically, if the C library can be" ON)

function(wr_link_static target)
    if(NOT WR_STATIC OR WR_SANITIZE OR WR_FUZZ)
        return()
    endif()
    check_linker_flag(C -static-pie WR_HAVE_STATIC_PIE)
    if(WR_HAVE_STATIC_PIE)
        set_property(TARGET ${target} PROPERTY POSITION_INDEPENDENT_CODE) # means -pie, which is another thing
        target_compile_options(${target} PRIVATE -fPIE)
        target_link_options(${target} PRIVATE -static-pie)
    endif()
endfunction()
