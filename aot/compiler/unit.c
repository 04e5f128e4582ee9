/*
 * unit.c - see unit.h. Types, metadata and declarations that all functions of a unit share.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- metadata ---- */

static LLVMMetadataRef text_node(const Unit *u, const char *text) {
    return LLVMMDStringInContext2(u->context, text, strlen(text));
}

static LLVMMetadataRef number_node(LLVMTypeRef type, u64 number) {
    return LLVMValueAsMetadata(LLVMConstInt(type, number, 0));
}

static LLVMValueRef node(const Unit *u, LLVMMetadataRef *parts, size_t count) {
    return LLVMMetadataAsValue(u->context, LLVMMDNodeInContext2(u->context, parts, count));
}

/* A class of memory, which overlaps the one it is derived from, and no others. */
static LLVMMetadataRef make_class(const Unit *u, LLVMMetadataRef parent, const char *name) {
    LLVMMetadataRef parts[] = {text_node(u, name), parent, number_node(u->i64, 0)};
    return LLVMMDNodeInContext2(u->context, parts, 3);
}

/* The tag of accesses to a class. */
static LLVMValueRef make_tag(const Unit *u, LLVMMetadataRef type) {
    LLVMMetadataRef parts[] = {type, type, number_node(u->i64, 0)};
    return node(u, parts, 3);
}

static LLVMValueRef make_tbaa(const Unit *u, LLVMMetadataRef root, const char *name) {
    return make_tag(u, make_class(u, root, name));
}

static unsigned kind_of(const Unit *u, const char *name) {
    return LLVMGetMDKindIDInContext(u->context, name, (unsigned)strlen(name));
}

/* How often a branch is taken, and how often it is not. */
static LLVMValueRef weights(const Unit *u, u32 taken, u32 passed) {
    LLVMMetadataRef parts[] = {text_node(u, "branch_weights"), number_node(u->i32, taken),
                               number_node(u->i32, passed)};
    return node(u, parts, 3);
}

static void init_metadata(Unit *u) {
    LLVMMetadataRef root_parts[] = {text_node(u, "wasmrun")};
    LLVMMetadataRef root = LLVMMDNodeInContext2(u->context, root_parts, 1);
    LLVMMetadataRef memory = make_class(u, root, "memory");
    u->tbaa_memory = make_tag(u, memory);
    u->tbaa_fuel = make_tbaa(u, memory, "fuel");
    u->heap_class = make_class(u, root, "heap");
    u->tbaa_instance = make_tbaa(u, root, "instance");
    u->tbaa_bump = make_tbaa(u, root, "bump");
    u->tbaa_values = make_tbaa(u, root, "values");
    u->tbaa_global = make_tbaa(u, root, "global");
    u->tbaa_table = make_tbaa(u, root, "table");
    u->invariant = node(u, NULL, 0);
    u->unlikely = weights(u, 1, 4000);
    u->likely = weights(u, 4000, 1);
    u->kind_tbaa = kind_of(u, "tbaa");
    u->kind_invariant = kind_of(u, "invariant.load");
    u->kind_prof = kind_of(u, "prof");
    u->kind_known = kind_of(u, "wasmrun.known");
    for (u32 i = 0; i < ARRAY_LEN(u->known_refs); i++) {
        LLVMMetadataRef number = number_node(u->i32, i);
        u->known_refs[i] = node(u, &number, 1);
    }
}

LLVMValueRef wr_unit_heap_class(const Unit *unit, const char *name, u32 number) {
    char text[24];
    (void)snprintf(text, sizeof text, "%s%u", name, (unsigned)number);
    return make_tbaa(unit, unit->heap_class, text);
}

/* ---- debug information: lines are byte offsets (native.h, linker.h) ---- */

#define DWARF_LANGUAGE LLVMDWARFSourceLanguageC99

static void init_flag(const Unit *u, const char *name, u32 value) {
    LLVMAddModuleFlag(u->module, LLVMModuleFlagBehaviorWarning, name, strlen(name),
                      number_node(u->i32, value));
}

static void init_debug(Unit *u) {
    u->debug = LLVMCreateDIBuilder(u->module);
    u->file = LLVMDIBuilderCreateFile(u->debug, "module", 6, ".", 1);
    u->compile_unit = LLVMDIBuilderCreateCompileUnit(u->debug, DWARF_LANGUAGE, u->file, "wasmrun",
                                                     7, u->plan->options.level > 0, "", 0, 0, "", 0,
                                                     LLVMDWARFEmissionFull, 0, 1, 0, "", 0, "", 0);
    u->subroutine_type =
        LLVMDIBuilderCreateSubroutineType(u->debug, u->file, NULL, 0, LLVMDIFlagZero);
    init_flag(u, "Debug Info Version", LLVMDebugMetadataVersion());
    init_flag(u, "Dwarf Version", 4);
}

/* ---- the unit ---- */

static void init_types(Unit *u) {
    u->i1 = LLVMInt1TypeInContext(u->context);
    u->i8 = LLVMInt8TypeInContext(u->context);
    u->i16 = LLVMInt16TypeInContext(u->context);
    u->i32 = LLVMInt32TypeInContext(u->context);
    u->i64 = LLVMInt64TypeInContext(u->context);
    u->f32 = LLVMFloatTypeInContext(u->context);
    u->f64 = LLVMDoubleTypeInContext(u->context);
    u->v128 = LLVMVectorType(u->i64, 2);
    u->ptr = LLVMPointerTypeInContext(u->context, 0);
    u->none = LLVMVoidTypeInContext(u->context);
}

static void init_target(Unit *u) {
    char *triple = LLVMGetTargetMachineTriple(u->machine);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(u->machine);
    LLVMSetTarget(u->module, triple);
    LLVMSetModuleDataLayout(u->module, layout);
    LLVMDisposeTargetData(layout);
    LLVMDisposeMessage(triple);
}

/* LLVM ends the process, or what its handler does, when it has no memory. */
bool wr_unit_init(Unit *unit, const Plan *plan, LLVMTargetMachineRef machine) {
    *unit = (Unit){.plan = plan, .machine = machine, .context = LLVMContextCreate()};
    unit->module = LLVMModuleCreateWithNameInContext("wasm", unit->context);
    init_types(unit);
    init_target(unit);
    init_metadata(unit);
    init_debug(unit);
    LLVMTypeRef personality = LLVMFunctionType(unit->i32, NULL, 0, 1);
    unit->personality = LLVMAddFunction(unit->module, "__gxx_personality_v0", personality);
    return true;
}

void wr_unit_free(Unit *unit) {
    LLVMDisposeDIBuilder(unit->debug);
    LLVMDisposeModule(unit->module);
    LLVMContextDispose(unit->context);
}

/* ---- functions ---- */

LLVMTypeRef wr_unit_type(const Unit *unit, ValType type) {
    switch (type_kind(type)) {
    case VK_I64: return unit->i64;
    case VK_F32: return unit->f32;
    case VK_F64: return unit->f64;
    case VK_V128: return unit->v128;
    case VK_I32:
    case VK_REF:
    case VK_BOT:
    case VK_I8:
    case VK_I16: break;
    }
    return unit->i32;
}

LLVMTypeRef wr_unit_signature(const Unit *unit, const DefType *type) {
    LLVMTypeRef params[NATIVE_PARAMS + 1] = {unit->ptr};
    u32 n = native_direct(type);
    for (u32 i = 0; i < n; i++) params[i + 1] = wr_unit_type(unit, type->types[i]);
    LLVMTypeRef result =
        type->nresults == 1 ? wr_unit_type(unit, type->types[type->nparams]) : unit->none;
    return LLVMFunctionType(result, params, n + 1, 0);
}

LLVMValueRef wr_unit_declare(Unit *unit, const char *name, LLVMTypeRef type, unsigned convention) {
    LLVMValueRef f = LLVMGetNamedFunction(unit->module, name);
    if (f != NULL) return f;
    f = LLVMAddFunction(unit->module, name, type);
    LLVMSetFunctionCallConv(f, convention);
    LLVMSetVisibility(f, LLVMHiddenVisibility);
    return f;
}

LLVMValueRef wr_unit_function(Unit *unit, u32 func_index, bool tail) {
    char name[16];
    (void)snprintf(name, sizeof name, "%c%u", tail ? 't' : 'f', (unsigned)func_index);
    const DefType *type = unit->plan->module->funcs[func_index].type;
    return wr_unit_declare(unit, name, wr_unit_signature(unit, type), tail ? CC_TAIL : CC_FAST);
}

bool wr_unit_is_function(LLVMValueRef function, u32 *func_index, char *letter) {
    size_t size;
    const char *name = LLVMGetValueName2(function, &size);
    if (size < 2 || strchr("ftr", name[0]) == NULL || name[1] < '0' || name[1] > '9') return false;
    *letter = name[0];
    *func_index = (u32)strtoul(name + 1, NULL, 10);
    return true;
}

/* As an entry thunk: context, nothing, slots. */
static LLVMTypeRef entry_type(const Unit *unit) {
    LLVMTypeRef params[] = {unit->ptr, unit->ptr, unit->ptr};
    return LLVMFunctionType(unit->none, params, 3, 0);
}

LLVMValueRef wr_unit_loop(Unit *unit, u64 offset) {
    char name[24];
    (void)snprintf(name, sizeof name, "o%llu", (unsigned long long)offset);
    return wr_unit_declare(unit, name, entry_type(unit), LLVMCCallConv);
}

static bool is_entry(const char *prefix) { return strcmp(prefix, "in") == 0; }

LLVMValueRef wr_unit_thunk(Unit *unit, const char *prefix, u32 shape) {
    char name[24];
    (void)snprintf(name, sizeof name, "%s%u", prefix, (unsigned)shape);
    if (is_entry(prefix)) return wr_unit_declare(unit, name, entry_type(unit), LLVMCCallConv);
    LLVMTypeRef type = wr_unit_signature(unit, unit->plan->shape_types[shape]);
    return wr_unit_declare(unit, name, type, strcmp(prefix, "outt") == 0 ? CC_TAIL : CC_FAST);
}

/* ---- attributes ---- */

static void add_text(const Unit *u, LLVMValueRef f, const char *key, const char *value) {
    LLVMAttributeRef attribute = LLVMCreateStringAttribute(u->context, key, (unsigned)strlen(key),
                                                           value, (unsigned)strlen(value));
    LLVMAddAttributeAtIndex(f, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, attribute);
}

static void add_flag(const Unit *u, LLVMValueRef f, LLVMAttributeIndex at, const char *name,
                     u64 value) {
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    LLVMAddAttributeAtIndex(f, at, LLVMCreateEnumAttribute(u->context, kind, value));
}

void wr_unit_flag(const Unit *unit, LLVMValueRef function, const char *name) {
    add_flag(unit, function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, name, 0);
}

#define CONTEXT_BYTES (offsetof(struct wr_instance, native) + sizeof(void *))
_Static_assert(CONTEXT_BYTES <= sizeof(struct wr_func), "exit thunks");
#define UWTABLE_ASYNC 2 /* faults come at any instruction */

void wr_unit_attributes(Unit *unit, LLVMValueRef function) {
    LLVMAttributeIndex whole = (LLVMAttributeIndex)LLVMAttributeFunctionIndex;
    add_text(unit, function, "target-cpu", unit->plan->cpu);
    add_text(unit, function, "target-features", unit->plan->features);
    add_text(unit, function, "no-builtins", "");
    add_text(unit, function, "probe-stack", "inline-asm");
    /* Calls at the end of a function would become jumps, and recursion loops: frames would be missing in backtraces,
     * and endless recursion would not exhaust the stack. (return_call is marked musttail.) */
    add_text(unit, function, "disable-tail-calls", "true");
    add_flag(unit, function, whole, "uwtable", UWTABLE_ASYNC);
    if (unit->plan->options.level == 4) add_flag(unit, function, whole, "optsize", 0);
    /* An Instance, or a Func: loads of what never changes may be moved up. */
    add_flag(unit, function, 1, "dereferenceable", CONTEXT_BYTES);
    add_flag(unit, function, 1, "align", _Alignof(struct wr_instance));
    add_flag(unit, function, 1, "nonnull", 0);
    add_flag(unit, function, 1, "noundef", 0);
}

void wr_unit_preserving(const Unit *unit, LLVMValueRef function) {
    add_text(unit, function, "target-features", unit->plan->preserving);
}

void wr_unit_call_flag(const Unit *unit, LLVMValueRef call, const char *name) {
    unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
    LLVMAddCallSiteAttribute(call, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                             LLVMCreateEnumAttribute(unit->context, kind, 0));
}
