-- Rows of which an export does not show everything, or shows what an import does not take.
-- dolt 2.3.1 ran this; `remote` is what it pushed.
set sql_mode = '';

create table floats (id int primary key, f float, n int);
insert into floats values (1, 7.0385306918512091e-26, 1), (2, 1.5, 2), (3, 7.0385306918512091e-26, 3);

create table many_floats (id int primary key, f float, n int);
insert into many_floats
  with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < 900)
  select i, if(i % 3 = 0, 7.0385306918512091e-26, i / 4), i from numbers;

create table documents (id int primary key, j json, n int);
insert into documents values
  (1, json_object('id', 9007199254740993), 1),
  (2, '[1, 2.5, "x"]', 2),
  (3, json_object('id', 9007199254740993, 'pad', repeat('0123456789', 900)), 3),
  (4, json_object('id', 12345678901234567, 'pad', repeat('abc', 1200)), 4);

create table texts (id int primary key, t text, j json, n int);
insert into texts values
  (1, repeat('long ', 600), json_object('id', 9007199254740993), 1),
  (2, repeat('text ', 900), json_object('id', 9007199254740993, 'pad', repeat('0', 1000)), 2);

create table dates (id int primary key, d date, t datetime, n int);
insert into dates values (1, '0099-12-31', '0012-03-04 05:06:07', 1), (2, '2024-01-02', null, 2),
  (3, '0010-01-02', '2024-01-02 03:04:05', 3);

create table many_dates (id int primary key, d date, n int);
insert into many_dates
  with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < 900)
  select i, if(i % 5 = 0, '0099-12-31', '2024-01-02'), i from numbers;

create table enums (id int primary key, e enum('a', 'b'), n int);
insert ignore into enums values (1, 'zz', 1), (2, 'a', 2), (3, 'zz', 3);

create table decimals (id int primary key, d decimal(10,2), n int);
insert into decimals values (1, 1e2, 1), (2, 1.25, 2), (3, 1e5, 3);

create table enum_key (e enum('a', 'b'), k int, n int, primary key (e, k));
insert ignore into enum_key values ('zz', 1, 1), ('a', 1, 2), ('zz', 2, 3);

create table float_key (f float primary key, n int);
insert into float_key values (7.0385306918512091e-26, 1), (1.5, 2), (-7.0385306918512091e-26, 3);

create table date_key (d date primary key, f float, n int);
insert into date_key values ('0099-12-31', 7.0385306918512091e-26, 1), ('2024-01-02', 7.0385306918512091e-26, 2);

create table indexed (
  id int primary key, f float, d date, n int, key by_f (f), key by_d (d), unique key by_n (n, f)
);
insert into indexed values (1, 7.0385306918512091e-26, '0099-12-31', 1), (2, 7.0385306918512091e-26, null, 2),
  (3, 1.5, '2024-01-02', 3);

create table many_indexed (
  id int primary key, f float, d date, n int, key by_f (f), key by_d (d), unique key by_n (n)
);
insert into many_indexed
  with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < 900)
  select i, if(i % 3 = 0, 7.0385306918512091e-26, i / 4), if(i % 5 = 0, '0099-12-31', '2024-01-02'), i
  from numbers;

create table computed (
  id int primary key, d date, n int, later int as (n + 1) stored, virt int as (n * 2) virtual,
  f float, key by_virt (virt)
);
insert into computed (id, d, n, f) values (1, '0099-12-31', 1, 7.0385306918512091e-26),
  (2, null, 2, 7.0385306918512091e-26), (3, '0099-12-31', 3, 1.5);

create table log_floats (f float, n int);
insert into log_floats values (7.0385306918512091e-26, 1), (7.0385306918512091e-26, 1), (1.5, 2),
  (7.0385306918512091e-26, 3);

create table log_dates (d date, e enum('a', 'b'), f float, n int, key by_d (d));
insert ignore into log_dates values ('0099-12-31', 'zz', 7.0385306918512091e-26, 1),
  ('0099-12-31', 'zz', 7.0385306918512091e-26, 1), ('2024-01-02', 'a', 7.0385306918512091e-26, 2), (null, 'b', 1, 3);

create table many_logs (f float, d date, n int);
insert into many_logs
  with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < 900)
  select if(i % 3 = 0, 7.0385306918512091e-26, i / 4), if(i % 5 = 0, '0099-12-31', '2024-01-02'), i / 2
  from numbers;

-- Imports do not look at what is computed: `checked.csv` and `log_checked.csv` hold rows that break
-- these constraints.
create table checked (
  id int primary key, a int, doubled int as (a * 2) virtual, n int, check (doubled < 100)
);
create table log_checked (a int, doubled int as (a * 2) virtual, n int, check (doubled < 100));
