/*
 * perf_map.h - names of compiled functions for profilers: the file /tmp/perf-PID.map, which Linux' perf and others read
 * for addresses that belong to no program. Written when modules get their artifacts, if the engine is
 * configured so.
 */
#ifndef WR_AOT_PERF_MAP_H
#define WR_AOT_PERF_MAP_H

#include "artifact.h"

/* Adds the artifact's symbols. Failures are logged: nothing depends on it. */
void wr_perf_map_add(const Module *module, const Artifact *artifact);

#endif
