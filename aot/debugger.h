/*
 * debugger.h - tells debuggers what compiled code is: the interface of gdb for compilers in a process ("JIT Compilation
 * Interface" in its manual; lldb has it, too). A debugger puts a breakpoint at a function of ours, which is
 * called when the list of images (debug_image.h) has changed.
 */
#ifndef WR_AOT_DEBUGGER_H
#define WR_AOT_DEBUGGER_H

#include "artifact.h"

/* Makes the artifact's functions known under the names that the module has for them, until it goes. Failures are
 * logged: nothing depends on it. */
void wr_debugger_add(const Module *module, Artifact *artifact);
void wr_debugger_remove(Artifact *artifact); /* nothing, if it was not added */

#endif
