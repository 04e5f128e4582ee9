# shellcheck shell=bash
# The SQLite shell, from Debian's source package: databases in a preopened directory.

build() {
    local src flags
    src=$(debian_source sqlite3)
    need tclsh tcl
    need make make
    cd "$1"
    CC=${NATIVE_CC:-clang-19} "$src/configure" --disable-tcl --disable-readline >/dev/null
    make -s sqlite3.c shell.c >/dev/null
    # unix-none: WASI has no record locks. A long double is not the same on both sides: print without it.
    flags="-DSQLITE_THREADSAFE=0 -DLONGDOUBLE_TYPE=double -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_WAL -DSQLITE_OMIT_POPEN
        -DSQLITE_NOHAVE_SYSTEM -DSQLITE_DEFAULT_UNIX_VFS=\"unix-none\" -DSQLITE_ENABLE_FTS5
        -DSQLITE_ENABLE_MATH_FUNCTIONS -DSQLITE_ENABLE_RTREE -DSQLITE_ENABLE_DBSTAT_VTAB"
    native_cc $flags sqlite3.c shell.c -o native -lm &
    wasm_cc $flags sqlite3.c shell.c -o sqlite.wasm "${WASM_LIBS[@]}"
    wait $!
}

guest_env=(HOME=/ SQLITE_TMPDIR=.)

prepare() {
    mkdir db
    cat >fill.sql <<'EOF'
create table item(id integer primary key, name text not null, price real, kind int references kind(id));
create table kind(id integer primary key, label text unique);
insert into kind values (0, 'tool'), (1, 'toy'), (2, 'food'), (3, 'other');
begin;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
  insert into item select i, printf('item %05d %s', i * 7919 % 20011, hex(i * i)), round(mod(i * 1.37, 100), 2), i % 4 from n;
commit;
create index by_price on item(price, kind);
create view dear as select * from item where price > 99;
create trigger gone after delete on item begin update kind set label = label || '' where id = old.kind; end;
delete from item where id % 10 = 3;
update item set price = price + 0.5 where kind = 2;
begin; delete from item; rollback;
create virtual table words using fts5(body);
insert into words select name from item where id < 500;
select changes(), count(*), total(price) from item;
EOF
    cat >query.sql <<'EOF'
.mode box
select k.label, count(*) n, round(avg(price), 4) mean, min(name) first from item join kind k on k.id = item.kind group by 1 order by n desc, 1;
.mode csv
.headers on
select id, name, price, rank() over (partition by kind order by price desc, id) r from item order by r, id limit 12;
.mode json
select json_group_array(json_object('id', id, 'p', price)) j from (select * from dear order by id limit 5);
.mode list
.headers off
select group_concat(name, '|') from (select name from item where price between 10 and 10.5 order by name limit 8);
select rowid, body from words where words match 'item NEAR 31*' order by rowid limit 5;
select round(sin(1) + sqrt(2) + exp(1), 12), 1e308 * 10, -0.0, 9223372036854775807 + 0, x'00ff';
select date(1700000000, 'unixepoch', 'start of month', '+1 month'), strftime('%W %j', '2024-02-29');
with recursive f(a, b, n) as (select 0, 1, 0 union all select b, a + b, n + 1 from f where n < 80) select max(a) from f;
explain query plan select * from item where price > 50 and kind = 1 order by name;
pragma integrity_check;
pragma page_count;
EOF
}

scenario() {
    prog -batch db/shop.db <fill.sql; echo "fill: $?"
    prog -batch -bail db/shop.db <query.sql; echo "reopen and query: $?"
    prog db/shop.db .dump | cksum; echo "dump"
    prog db/shop.db '.backup db/copy.db' "vacuum into 'db/small.db'"; echo "copies: $?"
    prog db/copy.db 'select count(*) from item' '.schema kind'; echo "copy: $?"
    prog db/shop.db 'drop table words' 'vacuum' 'pragma freelist_count'; echo "vacuum: $?"
    prog -csv -header db/shop.db 'select id, name from item where id <= 40' >out.csv
    prog db/new.db '.import --csv out.csv t' 'select count(*), max(name) from t'; echo "import: $?"
    prog 'file:db/shop.db?mode=ro' 'delete from item' ; echo "read-only: $?"
    head -c 20000 db/shop.db >db/cut.db
    prog db/cut.db 'pragma integrity_check' | head -n 3; echo "truncated"
    prog db/shop.db 'select nonsense from item'; echo "error: $?"
    prog none/x.db 'create table t(a)'; echo "no directory: $?"
    prog :memory: "select count(*) from (with recursive n(i) as (select 1 union all select i + 1 from n where i < 300000) select i from n)"
}
