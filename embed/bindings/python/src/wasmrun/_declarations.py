"""Made from wasmrun.h by embed/bindings/declarations.py: change the header, not this."""
# fmt: off
from __future__ import annotations

from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    Union,
    c_bool,
    c_char,
    c_char_p,
    c_double,
    c_float,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint,
    c_uint8,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import Any

VERSION = "0.1.0"
WR_GC_STRESS = 1
WR_GC_VERIFY = 2
WR_GC_STEPS = 4
WR_WASI_READ_ONLY = 1
WR_WASI_OPEN_READ = 1
WR_WASI_OPEN_WRITE = 2
WR_WASI_OPEN_CREATE = 4
WR_WASI_OPEN_EXCLUSIVE = 8
WR_WASI_OPEN_TRUNCATE = 16

wr_error_kind_t = c_uint
WR_ERROR_MALFORMED = 0
WR_ERROR_INVALID = 1
WR_ERROR_UNLINKABLE = 2
WR_ERROR_TRAP = 3
WR_ERROR_EXCEPTION = 4
WR_ERROR_EXIT = 5
WR_ERROR_MEMORY = 6
WR_ERROR_IO = 7
WR_ERROR_USAGE = 8

wr_trap_code_t = c_uint
WR_TRAP_NONE = 0
WR_TRAP_UNREACHABLE = 1
WR_TRAP_MEMORY_OUT_OF_BOUNDS = 2
WR_TRAP_TABLE_OUT_OF_BOUNDS = 3
WR_TRAP_ARRAY_OUT_OF_BOUNDS = 4
WR_TRAP_UNDEFINED_ELEMENT = 5
WR_TRAP_UNINITIALIZED_ELEMENT = 6
WR_TRAP_INDIRECT_CALL_TYPE_MISMATCH = 7
WR_TRAP_INTEGER_DIVIDE_BY_ZERO = 8
WR_TRAP_INTEGER_OVERFLOW = 9
WR_TRAP_INVALID_CONVERSION_TO_INTEGER = 10
WR_TRAP_NULL_REFERENCE = 11
WR_TRAP_NULL_FUNCTION_REFERENCE = 12
WR_TRAP_NULL_STRUCTURE_REFERENCE = 13
WR_TRAP_NULL_ARRAY_REFERENCE = 14
WR_TRAP_NULL_I31_REFERENCE = 15
WR_TRAP_NULL_EXCEPTION_REFERENCE = 16
WR_TRAP_NULL_DESCRIPTOR_REFERENCE = 17
WR_TRAP_CAST_FAILURE = 18
WR_TRAP_DESCRIPTOR_CAST_FAILURE = 19
WR_TRAP_UNALIGNED_ATOMIC = 20
WR_TRAP_EXPECTED_SHARED_MEMORY = 21
WR_TRAP_STACK_EXHAUSTED = 22
WR_TRAP_ALLOCATION_FAILURE = 23
WR_TRAP_OUT_OF_FUEL = 24
WR_TRAP_DEADLINE = 25
WR_TRAP_INTERRUPTED = 26
WR_TRAP_HOST = 27

wr_memory_mode_t = c_uint
WR_MEMORY_AUTO = 0
WR_MEMORY_GUARD = 1
WR_MEMORY_EXPLICIT = 2

wr_engine_kind_t = c_uint
WR_ENGINE_INTERPRETER = 0
WR_ENGINE_COMPILED = 1
WR_ENGINE_AUTO = 2

wr_log_level_t = c_uint
WR_LOG_ERROR = 0
WR_LOG_WARNING = 1
WR_LOG_INFO = 2
WR_LOG_DEBUG = 3

wr_valkind_t = c_uint
WR_I32 = 0
WR_I64 = 1
WR_F32 = 2
WR_F64 = 3
WR_V128 = 4
WR_FUNCREF = 5
WR_EXTERNREF = 6
WR_ANYREF = 7
WR_EXNREF = 8

wr_externkind_t = c_uint
WR_EXTERN_FUNC = 0
WR_EXTERN_TABLE = 1
WR_EXTERN_MEMORY = 2
WR_EXTERN_GLOBAL = 3
WR_EXTERN_TAG = 4

wr_trace_kind_t = c_uint
WR_TRACE_CALL = 1
WR_TRACE_RETURN = 2
WR_TRACE_FAIL = 4
WR_TRACE_INSTRUCTION = 8

wr_object_kind_t = c_uint
WR_OBJECT_NONE = 0
WR_OBJECT_I31 = 1
WR_OBJECT_STRUCT = 2
WR_OBJECT_ARRAY = 3
WR_OBJECT_HOST = 4
WR_OBJECT_EXCEPTION = 5

wr_wasi_errno_t = c_uint
WR_WASI_SUCCESS = 0
WR_WASI_ACCES = 2
WR_WASI_AGAIN = 6
WR_WASI_BADF = 8
WR_WASI_BUSY = 10
WR_WASI_DQUOT = 19
WR_WASI_EXIST = 20
WR_WASI_FBIG = 22
WR_WASI_INTR = 27
WR_WASI_INVAL = 28
WR_WASI_IO = 29
WR_WASI_ISDIR = 31
WR_WASI_LOOP = 32
WR_WASI_MFILE = 33
WR_WASI_MLINK = 34
WR_WASI_NAMETOOLONG = 37
WR_WASI_NFILE = 41
WR_WASI_NOENT = 44
WR_WASI_NOMEM = 48
WR_WASI_NOSPC = 51
WR_WASI_NOSYS = 52
WR_WASI_NOTDIR = 54
WR_WASI_NOTEMPTY = 55
WR_WASI_NOTSUP = 58
WR_WASI_OVERFLOW = 61
WR_WASI_PERM = 63
WR_WASI_ROFS = 69
WR_WASI_STALE = 72
WR_WASI_TIMEDOUT = 73
WR_WASI_TXTBSY = 74
WR_WASI_XDEV = 75

wr_wasi_filetype_t = c_uint
WR_WASI_CHARACTER_DEVICE = 2
WR_WASI_DIRECTORY = 3
WR_WASI_REGULAR_FILE = 4
WR_WASI_SYMBOLIC_LINK = 7

wr_alloc_func_t = CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_size_t, c_size_t)
wr_compile_progress_t = CFUNCTYPE(None, c_void_p, c_uint32, c_uint32)
wr_log_func_t = CFUNCTYPE(None, c_void_p, wr_log_level_t, c_char_p)
wr_cache_visit_t = CFUNCTYPE(None, c_void_p, c_char_p, c_uint64, c_int64)
wr_host_func_t = CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_void_p)
wr_callback_t = CFUNCTYPE(None, c_void_p, c_void_p, c_void_p, POINTER(c_void_p))
wr_tracer_t = CFUNCTYPE(None, c_void_p, c_void_p)
wr_wasi_random_t = CFUNCTYPE(c_bool, c_void_p, c_void_p, c_size_t)


class wr_frame_t(Structure):
    _fields_ = [
        ("module_name", c_char_p),
        ("function_name", c_char_p),
        ("function_index", c_uint32),
        ("module_offset", c_uint64),
        ("function_offset", c_uint64),
        ("instance", c_void_p),
    ]


class wr_shadow_stats_t(Structure):
    _fields_ = [
        ("functions", c_uint64),
        ("bytes", c_uint64),
        ("ns", c_uint64),
        ("limited", c_bool),
    ]


class wr_tier_stats_t(Structure):
    _fields_ = [
        ("slices", c_uint32),
        ("functions", c_uint32),
        ("loops", c_uint32),
        ("failures", c_uint32),
        ("ns", c_uint64),
        ("first_ns", c_uint64),
    ]


class wr_compile_options_t(Structure):
    _fields_ = [
        ("level", c_uint8),
        ("no_polls", c_bool),
        ("explicit_memory", c_bool),
        ("count_fuel", c_bool),
        ("migratable", c_bool),
        ("polls", c_bool),
        ("triple", c_char_p),
        ("cpu", c_char_p),
        ("cpu_features", c_char_p),
        ("threads", c_uint32),
        ("progress", wr_compile_progress_t),
        ("progress_context", c_void_p),
    ]


class wr_compile_stats_t(Structure):
    _fields_ = [
        ("total_ns", c_uint64),
        ("lower_ns", c_uint64),
        ("optimise_ns", c_uint64),
        ("generate_ns", c_uint64),
        ("link_ns", c_uint64),
        ("peak_bytes", c_uint64),
        ("functions", c_uint32),
        ("interpreted", c_uint32),
        ("units", c_uint32),
        ("threads", c_uint32),
    ]


class wr_name_t(Structure):
    _fields_ = [
        ("data", c_void_p),
        ("size", c_size_t),
    ]


class wr_import_t(Structure):
    _fields_ = [
        ("module", wr_name_t),
        ("name", wr_name_t),
        ("kind", wr_externkind_t),
    ]


class wr_export_t(Structure):
    _fields_ = [
        ("name", wr_name_t),
        ("kind", wr_externkind_t),
    ]


class wr_extern_type_t(Structure):
    _fields_ = [
        ("kind", wr_externkind_t),
        ("nparams", c_size_t),
        ("nresults", c_size_t),
        ("value", wr_valkind_t),
        ("is_mutable", c_bool),
        ("is_shared", c_bool),
        ("is_64", c_bool),
        ("page_size_log2", c_uint8),
        ("min", c_uint64),
        ("max", c_uint64),
    ]


class wr_module_stats_t(Structure):
    _fields_ = [
        ("module_bytes", c_uint64),
        ("code_bytes", c_uint64),
        ("side_table_bytes", c_uint64),
        ("resident_bytes", c_uint64),
        ("functions", c_uint64),
        ("decode_ns", c_uint64),
        ("validate_ns", c_uint64),
        ("validation_threads", c_uint32),
    ]


class wr_heap_stats_t(Structure):
    _fields_ = [
        ("collections", c_uint64),
        ("pause_ns", c_uint64),
        ("longest_pause_ns", c_uint64),
        ("allocated_bytes", c_uint64),
        ("live_bytes", c_uint64),
        ("peak_bytes", c_uint64),
    ]


class wr_memory_type_t(Structure):
    _fields_ = [
        ("min", c_uint64),
        ("max", c_uint64),
        ("is_shared", c_bool),
        ("is_64", c_bool),
        ("page_size_log2", c_uint8),
    ]


class wr_val_of(Union):
    _fields_ = [
        ("i32", c_int32),
        ("i64", c_int64),
        ("f32", c_float),
        ("f64", c_double),
        ("v128", c_uint8 * 16),
        ("ref", c_uint64),
    ]


class wr_val_t(Structure):
    _fields_ = [
        ("kind", wr_valkind_t),
        ("of", wr_val_of),
    ]


class wr_slot_t(Union):
    _fields_ = [
        ("i32", c_int32),
        ("u32", c_uint32),
        ("i64", c_int64),
        ("u64", c_uint64),
        ("f32", c_float),
        ("f64", c_double),
        ("ref", c_uint64),
    ]


class wr_trace_event_t(Structure):
    _fields_ = [
        ("kind", wr_trace_kind_t),
        ("function_index", c_uint32),
        ("func", c_void_p),
        ("instance", c_void_p),
        ("depth", c_uint64),
        ("module_offset", c_uint64),
        ("code", c_void_p),
        ("code_size", c_size_t),
        ("values", POINTER(wr_slot_t)),
    ]


class wr_extern_of(Union):
    _fields_ = [
        ("func", c_void_p),
        ("table", c_void_p),
        ("memory", c_void_p),
        ("global", c_void_p),
        ("tag", c_void_p),
    ]


class wr_extern_t(Structure):
    _fields_ = [
        ("kind", wr_externkind_t),
        ("of", wr_extern_of),
    ]


class wr_prelinked_stats_t(Structure):
    _fields_ = [
        ("live", c_uint64),
        ("idle", c_uint64),
        ("made", c_uint64),
        ("reused", c_uint64),
    ]


class wr_wasi_stream_t(Structure):
    _fields_ = [
        ("read", CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_size_t, POINTER(c_size_t))),
        ("write", CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_size_t)),
        ("context", c_void_p),
    ]


class wr_wasi_callbacks_t(Structure):
    _fields_ = [
        ("read", CFUNCTYPE(None, c_void_p, c_void_p, c_size_t, POINTER(c_size_t), POINTER(c_void_p))),
        ("write", CFUNCTYPE(None, c_void_p, c_void_p, c_size_t, POINTER(c_void_p))),
        ("context", c_void_p),
    ]


class wr_wasi_clock_t(Structure):
    _fields_ = [
        ("now", CFUNCTYPE(c_bool, c_void_p, c_uint32, POINTER(c_uint64))),
        ("sleep", CFUNCTYPE(None, c_void_p, c_uint64)),
        ("context", c_void_p),
    ]


class wr_wasi_filestat_t(Structure):
    _fields_ = [
        ("inode", c_uint64),
        ("links", c_uint64),
        ("size", c_uint64),
        ("accessed", c_uint64),
        ("modified", c_uint64),
        ("changed", c_uint64),
        ("type", wr_wasi_filetype_t),
    ]


class wr_wasi_entry_t(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("inode", c_uint64),
        ("next", c_uint64),
        ("type", wr_wasi_filetype_t),
    ]


class wr_wasi_files_t(Structure):
    _fields_ = [
        ("size", c_size_t),
        ("stat", CFUNCTYPE(wr_wasi_errno_t, c_void_p, c_char_p, c_void_p, c_void_p)),
        ("open", CFUNCTYPE(wr_wasi_errno_t, c_void_p, c_char_p, c_uint32, POINTER(c_void_p))),
        ("close", CFUNCTYPE(None, c_void_p, c_void_p)),
        ("read", CFUNCTYPE(wr_wasi_errno_t, c_void_p, c_void_p, c_void_p, c_size_t, c_uint64, POINTER(c_size_t))),
        ("write", CFUNCTYPE(wr_wasi_errno_t, c_void_p, c_void_p, c_void_p, c_size_t, c_uint64, POINTER(c_size_t))),
        ("resize", CFUNCTYPE(wr_wasi_errno_t, c_void_p, c_void_p, c_uint64)),
        ("sync", CFUNCTYPE(wr_wasi_errno_t, c_void_p, c_void_p)),
        ("list", CFUNCTYPE(wr_wasi_errno_t, c_void_p, c_char_p, c_uint64, c_void_p)),
        ("set_times", CFUNCTYPE(wr_wasi_errno_t, c_void_p, c_char_p, c_void_p, c_uint64, c_uint64)),
        ("make_directory", CFUNCTYPE(wr_wasi_errno_t, c_void_p, c_char_p)),
        ("remove", CFUNCTYPE(wr_wasi_errno_t, c_void_p, c_char_p)),
        ("rename", CFUNCTYPE(wr_wasi_errno_t, c_void_p, c_char_p, c_char_p)),
        ("link", CFUNCTYPE(wr_wasi_errno_t, c_void_p, c_char_p, c_char_p)),
        ("make_symlink", CFUNCTYPE(wr_wasi_errno_t, c_void_p, c_char_p, c_char_p)),
        ("read_symlink", CFUNCTYPE(wr_wasi_errno_t, c_void_p, c_char_p, c_void_p, c_size_t, POINTER(c_size_t))),
    ]


# Result and parameters of each function.
FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "wr_version": (c_char_p, []),
    "wr_error_kind": (wr_error_kind_t, [c_void_p]),
    "wr_error_message": (c_char_p, [c_void_p]),
    "wr_error_offset": (c_bool, [c_void_p, POINTER(c_uint64)]),
    "wr_error_place": (c_char_p, [c_void_p]),
    "wr_error_trap_code": (wr_trap_code_t, [c_void_p]),
    "wr_error_exit_status": (c_bool, [c_void_p, POINTER(c_uint32)]),
    "wr_error_frame_count": (c_size_t, [c_void_p]),
    "wr_error_frame_total": (c_size_t, [c_void_p]),
    "wr_error_frame": (c_bool, [c_void_p, c_size_t, POINTER(wr_frame_t)]),
    "wr_error_render": (c_size_t, [c_void_p, c_void_p, c_size_t]),
    "wr_error_delete": (None, [c_void_p]),
    "wr_error_set_data": (c_bool, [c_void_p, c_void_p, CFUNCTYPE(None, c_void_p)]),
    "wr_error_data": (c_void_p, [c_void_p]),
    "wr_error_detach": (None, [c_void_p]),
    "wr_trap_new": (c_void_p, [c_char_p]),
    "wr_exit_new": (c_void_p, [c_uint32]),
    "wr_error_new": (c_void_p, [wr_error_kind_t, c_char_p]),
    "wr_config_new": (c_void_p, []),
    "wr_config_delete": (None, [c_void_p]),
    "wr_config_set_memory_mode": (None, [c_void_p, wr_memory_mode_t]),
    "wr_config_set_max_stack": (None, [c_void_p, c_size_t]),
    "wr_config_set_gc_debug": (None, [c_void_p, c_uint32]),
    "wr_config_set_validation_threads": (None, [c_void_p, c_uint32]),
    "wr_config_set_pool": (None, [c_void_p, c_uint32, c_size_t]),
    "wr_config_set_warm_after": (None, [c_void_p, c_uint32]),
    "wr_config_set_max_shadow": (None, [c_void_p, c_size_t]),
    "wr_config_set_engine_kind": (None, [c_void_p, wr_engine_kind_t]),
    "wr_config_set_opt_level": (None, [c_void_p, c_uint]),
    "wr_config_set_compiled_polls": (None, [c_void_p, c_bool]),
    "wr_config_set_compiled_fuel": (None, [c_void_p, c_bool]),
    "wr_config_set_compiled_migratable": (None, [c_void_p, c_bool]),
    "wr_config_set_perf_map": (None, [c_void_p, c_bool]),
    "wr_config_set_debug_info": (None, [c_void_p, c_bool]),
    "wr_config_set_cache": (c_bool, [c_void_p, c_char_p]),
    "wr_config_set_compile_progress": (None, [c_void_p, wr_compile_progress_t, c_void_p]),
    "wr_config_set_allocator": (None, [c_void_p, wr_alloc_func_t, c_void_p]),
    "wr_config_set_log": (None, [c_void_p, wr_log_func_t, c_void_p, wr_log_level_t]),
    "wr_config_set_feature": (c_bool, [c_void_p, c_char_p, c_bool]),
    "wr_engine_new": (c_void_p, [c_void_p, POINTER(c_void_p)]),
    "wr_engine_delete": (None, [c_void_p]),
    "wr_engine_get_shadow_stats": (None, [c_void_p, POINTER(wr_shadow_stats_t)]),
    "wr_engine_get_tier_stats": (None, [c_void_p, POINTER(wr_tier_stats_t)]),
    "wr_module_new": (c_void_p, [c_void_p, c_void_p, c_size_t, POINTER(c_void_p)]),
    "wr_module_open": (c_void_p, [c_void_p, c_char_p, POINTER(c_void_p)]),
    "wr_module_validate": (c_void_p, [c_void_p, c_void_p, c_size_t]),
    "wr_module_delete": (None, [c_void_p]),
    "wr_module_compile": (c_void_p, [c_void_p, POINTER(wr_compile_options_t), POINTER(c_void_p), POINTER(c_size_t), POINTER(wr_compile_stats_t)]),
    "wr_artifact_open": (c_void_p, [c_void_p, c_char_p, POINTER(c_void_p)]),
    "wr_artifact_recognise": (c_bool, [c_void_p, c_size_t]),
    "wr_module_is_compiled": (c_bool, [c_void_p]),
    "wr_cache_list": (c_void_p, [c_char_p, wr_cache_visit_t, c_void_p]),
    "wr_cache_clear": (c_void_p, [c_char_p, c_uint64, POINTER(c_uint32)]),
    "wr_wat_to_wasm": (c_void_p, [c_char_p, c_size_t, c_char_p, c_bool, POINTER(c_void_p), POINTER(c_size_t)]),
    "wr_wat_locate": (c_void_p, [c_char_p, c_size_t, c_char_p, c_void_p, c_size_t, c_void_p]),
    "wr_bytes_delete": (None, [c_void_p, c_size_t]),
    "wr_module_import_count": (c_size_t, [c_void_p]),
    "wr_module_import": (c_bool, [c_void_p, c_size_t, POINTER(wr_import_t)]),
    "wr_module_export_count": (c_size_t, [c_void_p]),
    "wr_module_export": (c_bool, [c_void_p, c_size_t, POINTER(wr_export_t)]),
    "wr_module_import_type": (c_bool, [c_void_p, c_size_t, POINTER(wr_extern_type_t)]),
    "wr_module_export_type": (c_bool, [c_void_p, c_size_t, POINTER(wr_extern_type_t)]),
    "wr_module_import_signature": (c_size_t, [c_void_p, c_size_t, c_void_p, c_size_t]),
    "wr_module_export_signature": (c_size_t, [c_void_p, c_size_t, c_void_p, c_size_t]),
    "wr_module_custom_section_count": (c_size_t, [c_void_p]),
    "wr_module_custom_section_at": (c_bool, [c_void_p, c_size_t, POINTER(wr_name_t), POINTER(c_void_p), POINTER(c_size_t)]),
    "wr_module_custom_section": (c_bool, [c_void_p, c_char_p, POINTER(c_void_p), POINTER(c_size_t)]),
    "wr_module_get_stats": (None, [c_void_p, POINTER(wr_module_stats_t)]),
    "wr_store_new": (c_void_p, [c_void_p, POINTER(c_void_p)]),
    "wr_store_new_peer": (c_void_p, [c_void_p, POINTER(c_void_p)]),
    "wr_store_delete": (None, [c_void_p]),
    "wr_store_limit_memory": (None, [c_void_p, c_uint64]),
    "wr_store_limit_tables": (None, [c_void_p, c_uint64]),
    "wr_store_limit_instances": (None, [c_void_p, c_uint64]),
    "wr_store_limit_heap": (None, [c_void_p, c_uint64]),
    "wr_store_get_heap_stats": (None, [c_void_p, POINTER(wr_heap_stats_t)]),
    "wr_store_collect": (None, [c_void_p]),
    "wr_store_set_data": (c_void_p, [c_void_p, c_void_p, c_void_p]),
    "wr_store_data": (c_void_p, [c_void_p, c_void_p]),
    "wr_store_set_fuel": (None, [c_void_p, c_uint64]),
    "wr_store_fuel": (c_uint64, [c_void_p]),
    "wr_store_add_fuel": (None, [c_void_p, c_uint64]),
    "wr_store_set_timeout": (c_void_p, [c_void_p, c_uint64]),
    "wr_store_set_interruptible": (None, [c_void_p, c_bool]),
    "wr_store_interrupt": (None, [c_void_p]),
    "wr_store_open_scope": (c_size_t, [c_void_p]),
    "wr_store_close_scope": (None, [c_void_p, c_size_t]),
    "wr_extern_new": (c_void_p, [c_void_p, c_void_p, POINTER(c_uint64)]),
    "wr_extern_value": (c_bool, [c_void_p, c_uint64, POINTER(c_void_p)]),
    "wr_func_param_count": (c_size_t, [c_void_p]),
    "wr_func_result_count": (c_size_t, [c_void_p]),
    "wr_func_param": (wr_valkind_t, [c_void_p, c_size_t]),
    "wr_func_result": (wr_valkind_t, [c_void_p, c_size_t]),
    "wr_func_signature": (c_size_t, [c_void_p, c_void_p, c_size_t]),
    "wr_func_name": (None, [c_void_p, POINTER(wr_name_t), POINTER(wr_name_t)]),
    "wr_func_call": (c_void_p, [c_void_p, c_void_p, POINTER(wr_val_t), c_size_t, POINTER(wr_val_t), c_size_t]),
    "wr_func_call_slots": (c_void_p, [c_void_p, c_void_p, POINTER(wr_slot_t)]),
    "wr_func_has_signature": (c_bool, [c_void_p, c_char_p]),
    "wr_config_set_tracer": (None, [c_void_p, c_uint32, wr_tracer_t, c_void_p]),
    "wr_call_start": (c_void_p, [c_void_p, c_void_p, POINTER(wr_val_t), c_size_t, POINTER(wr_val_t), c_size_t, POINTER(c_void_p)]),
    "wr_call_resume": (c_void_p, [c_void_p, POINTER(wr_val_t), c_size_t, POINTER(c_void_p)]),
    "wr_call_reason": (wr_trap_code_t, [c_void_p]),
    "wr_call_backtrace": (c_void_p, [c_void_p]),
    "wr_call_delete": (None, [c_void_p]),
    "wr_memory_data": (c_void_p, [c_void_p]),
    "wr_memory_size": (c_uint64, [c_void_p]),
    "wr_memory_grow": (c_uint64, [c_void_p, c_uint64]),
    "wr_memory_view": (c_void_p, [c_void_p, c_uint64, c_uint64]),
    "wr_memory_read": (c_bool, [c_void_p, c_uint64, c_void_p, c_size_t]),
    "wr_memory_write": (c_bool, [c_void_p, c_uint64, c_void_p, c_size_t]),
    "wr_memory_read_u32": (c_bool, [c_void_p, c_uint64, POINTER(c_uint32)]),
    "wr_memory_read_u64": (c_bool, [c_void_p, c_uint64, POINTER(c_uint64)]),
    "wr_memory_write_u32": (c_bool, [c_void_p, c_uint64, c_uint32]),
    "wr_memory_write_u64": (c_bool, [c_void_p, c_uint64, c_uint64]),
    "wr_memory_string": (c_bool, [c_void_p, c_uint64, c_uint64, POINTER(c_void_p), POINTER(c_size_t)]),
    "wr_extern_type": (None, [POINTER(wr_extern_t), POINTER(wr_extern_type_t)]),
    "wr_store_make_func": (c_void_p, [c_void_p, c_char_p, wr_host_func_t, c_void_p, CFUNCTYPE(None, c_void_p), POINTER(c_void_p)]),
    "wr_store_make_callback": (c_void_p, [c_void_p, c_char_p, wr_callback_t, c_void_p, CFUNCTYPE(None, c_void_p), POINTER(c_void_p)]),
    "wr_store_make_global": (c_void_p, [c_void_p, POINTER(wr_val_t), c_bool, POINTER(c_void_p)]),
    "wr_store_make_memory": (c_void_p, [c_void_p, POINTER(wr_memory_type_t), POINTER(c_void_p)]),
    "wr_store_make_table": (c_void_p, [c_void_p, POINTER(wr_val_t), c_uint64, c_uint64, POINTER(c_void_p)]),
    "wr_store_make_tag": (c_void_p, [c_void_p, c_char_p, POINTER(c_void_p)]),
    "wr_global_get": (None, [c_void_p, POINTER(wr_val_t)]),
    "wr_global_set": (c_void_p, [c_void_p, POINTER(wr_val_t)]),
    "wr_table_size": (c_uint64, [c_void_p]),
    "wr_table_get": (c_bool, [c_void_p, c_uint64, POINTER(wr_val_t)]),
    "wr_table_set": (c_void_p, [c_void_p, c_uint64, POINTER(wr_val_t)]),
    "wr_table_extend": (c_void_p, [c_void_p, c_uint64, POINTER(wr_val_t)]),
    "wr_func_ref": (wr_val_t, [c_void_p]),
    "wr_ref_func": (c_void_p, [c_void_p, POINTER(wr_val_t)]),
    "wr_throw_new": (c_void_p, [c_void_p, c_void_p, POINTER(wr_val_t), c_size_t]),
    "wr_error_exception_values": (c_size_t, [c_void_p, POINTER(c_void_p), POINTER(wr_val_t), c_size_t]),
    "wr_object_kind": (wr_object_kind_t, [c_void_p, POINTER(wr_val_t)]),
    "wr_i31_new": (wr_val_t, [c_int32]),
    "wr_i31_get": (c_bool, [POINTER(wr_val_t), POINTER(c_int32)]),
    "wr_object_length": (c_size_t, [c_void_p, POINTER(wr_val_t)]),
    "wr_object_get": (c_bool, [c_void_p, POINTER(wr_val_t), c_size_t, POINTER(wr_val_t)]),
    "wr_object_set": (c_void_p, [c_void_p, POINTER(wr_val_t), c_size_t, POINTER(wr_val_t)]),
    "wr_object_read_bytes": (c_bool, [c_void_p, POINTER(wr_val_t), c_size_t, c_void_p, c_size_t]),
    "wr_object_write_bytes": (c_bool, [c_void_p, POINTER(wr_val_t), c_size_t, c_void_p, c_size_t]),
    "wr_object_new_struct": (c_void_p, [c_void_p, c_uint32, POINTER(wr_val_t), c_size_t, POINTER(wr_val_t)]),
    "wr_object_new_array": (c_void_p, [c_void_p, c_uint32, c_uint32, POINTER(wr_val_t), POINTER(wr_val_t)]),
    "wr_store_pin": (c_void_p, [c_void_p, POINTER(wr_val_t), POINTER(c_uint32)]),
    "wr_store_unpin": (None, [c_void_p, c_uint32]),
    "wr_module_import_memory": (c_bool, [c_void_p, c_size_t, POINTER(wr_memory_type_t)]),
    "wr_shared_memory_new": (c_void_p, [c_void_p, POINTER(wr_memory_type_t), POINTER(c_void_p)]),
    "wr_memory_share": (c_void_p, [c_void_p]),
    "wr_shared_memory_delete": (None, [c_void_p]),
    "wr_shared_memory_data": (c_void_p, [c_void_p]),
    "wr_shared_memory_size": (c_uint64, [c_void_p]),
    "wr_caller_store": (c_void_p, [c_void_p]),
    "wr_caller_instance": (c_void_p, [c_void_p]),
    "wr_caller_memory": (c_void_p, [c_void_p, c_uint64, c_uint64]),
    "wr_caller_poll": (c_void_p, [c_void_p]),
    "wr_caller_patience": (c_uint64, [c_void_p]),
    "wr_linker_new": (c_void_p, [c_void_p]),
    "wr_linker_delete": (None, [c_void_p]),
    "wr_linker_define_func": (c_void_p, [c_void_p, c_char_p, c_char_p, c_char_p, wr_host_func_t, c_void_p, CFUNCTYPE(None, c_void_p)]),
    "wr_linker_define_callback": (c_void_p, [c_void_p, c_char_p, c_char_p, c_char_p, wr_callback_t, c_void_p, CFUNCTYPE(None, c_void_p)]),
    "wr_linker_define_instance": (c_void_p, [c_void_p, c_char_p, c_void_p]),
    "wr_linker_define_memory": (c_void_p, [c_void_p, c_char_p, c_char_p, c_void_p]),
    "wr_linker_define": (c_void_p, [c_void_p, wr_name_t, wr_name_t, c_void_p, POINTER(wr_extern_t)]),
    "wr_linker_alias": (c_void_p, [c_void_p, c_char_p, c_char_p, c_char_p, c_char_p]),
    "wr_linker_instantiate": (c_void_p, [c_void_p, c_void_p, c_void_p, POINTER(c_void_p)]),
    "wr_linker_prelink": (c_void_p, [c_void_p, c_void_p, POINTER(c_void_p)]),
    "wr_prelinked_delete": (None, [c_void_p]),
    "wr_prelinked_new_store": (c_void_p, [c_void_p, POINTER(c_void_p)]),
    "wr_prelinked_instantiate": (c_void_p, [c_void_p, c_void_p, POINTER(c_void_p)]),
    "wr_prelinked_get_stats": (None, [c_void_p, POINTER(wr_prelinked_stats_t)]),
    "wr_instance_func": (c_void_p, [c_void_p, c_char_p]),
    "wr_instance_memory": (c_void_p, [c_void_p, c_char_p]),
    "wr_instance_global": (c_void_p, [c_void_p, c_char_p]),
    "wr_instance_table": (c_void_p, [c_void_p, c_char_p]),
    "wr_instance_tag": (c_void_p, [c_void_p, c_char_p]),
    "wr_instance_export_named": (c_bool, [c_void_p, wr_name_t, POINTER(wr_extern_t)]),
    "wr_instance_export_at": (c_bool, [c_void_p, c_size_t, POINTER(wr_extern_t)]),
    "wr_instance_module": (c_void_p, [c_void_p]),
    "wr_wasi_new": (c_void_p, []),
    "wr_wasi_delete": (None, [c_void_p]),
    "wr_wasi_set_args": (c_void_p, [c_void_p, c_size_t, POINTER(c_char_p)]),
    "wr_wasi_add_env": (c_void_p, [c_void_p, c_char_p]),
    "wr_wasi_inherit_env": (c_void_p, [c_void_p]),
    "wr_wasi_inherit_stdio": (c_void_p, [c_void_p]),
    "wr_wasi_set_stream": (c_void_p, [c_void_p, c_uint32, POINTER(wr_wasi_stream_t)]),
    "wr_wasi_set_callbacks": (c_void_p, [c_void_p, c_uint32, POINTER(wr_wasi_callbacks_t)]),
    "wr_wasi_add_stream": (c_void_p, [c_void_p, POINTER(wr_wasi_stream_t), POINTER(c_uint32)]),
    "wr_wasi_set_host_stream": (c_void_p, [c_void_p, c_uint32, c_int]),
    "wr_wasi_set_input": (c_void_p, [c_void_p, c_void_p, c_size_t]),
    "wr_wasi_capture": (c_void_p, [c_void_p, c_uint32, c_size_t]),
    "wr_wasi_captured": (c_size_t, [c_void_p, c_uint32, POINTER(c_void_p)]),
    "wr_wasi_set_clock": (None, [c_void_p, POINTER(wr_wasi_clock_t)]),
    "wr_wasi_fix_time": (None, [c_void_p, c_uint64, c_uint64]),
    "wr_wasi_set_random": (None, [c_void_p, wr_wasi_random_t, c_void_p]),
    "wr_wasi_set_seed": (None, [c_void_p, c_uint64]),
    "wr_wasi_preopen_dir": (c_void_p, [c_void_p, c_char_p, c_char_p, c_uint32]),
    "wr_wasi_preopen_files": (c_void_p, [c_void_p, POINTER(wr_wasi_files_t), c_void_p, c_char_p, c_uint32]),
    "wr_wasi_preopen_socket": (c_void_p, [c_void_p, c_int]),
    "wr_wasi_link": (c_void_p, [c_void_p, c_void_p]),
    "wr_wasi_link_stores": (c_void_p, [c_void_p]),
    "wr_wasi_attach": (c_void_p, [c_void_p, c_void_p]),
    "wr_wasi_link_threads": (c_void_p, [c_void_p, c_void_p, c_void_p, c_void_p, c_uint32]),
    "wr_wasi_end_threads": (c_void_p, [c_void_p, c_void_p]),
    "wr_config_of_wasm": (c_void_p, [c_void_p]),
    "wr_engine_of_wasm": (c_void_p, [c_void_p]),
    "wr_store_of_wasm": (c_void_p, [c_void_p]),
    "wr_module_of_wasm": (c_void_p, [c_void_p]),
    "wr_instance_of_wasm": (c_void_p, [c_void_p]),
    "wr_extern_of_wasm": (c_bool, [c_void_p, POINTER(wr_extern_t)]),
    "wr_error_of_wasm": (c_void_p, [c_void_p]),
    "wr_instance_to_wasm": (c_void_p, [c_void_p, c_void_p]),
    "wr_extern_to_wasm": (c_void_p, [c_void_p, POINTER(wr_extern_t)]),
}
