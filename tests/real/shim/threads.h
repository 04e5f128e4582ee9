/* libunwind wants thread_local of it. */
#define thread_local _Thread_local
