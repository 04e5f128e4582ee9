/*
 * filestat.h - attributes of files, shared by the fd_ and path_ functions.
 */
#ifndef WR_WASI_FILESTAT_H
#define WR_WASI_FILESTAT_H

#include "guest.h"

/* Writes a filestat in the layout of the calling world. */
Errno wr_filestat_put(Call *call, uint32_t address, const SysStat *stat);
/* INVAL for unknown WASI_FSTFLAGS_ and for a time that should be given and be now. */
Errno wr_filestat_check_times(uint32_t flags);

#endif
