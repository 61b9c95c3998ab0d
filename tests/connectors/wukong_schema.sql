-- The columns of WuKong's tables that matter here, in the same shape: types, nullability
-- and defaults. "{prefix}" is wk_ for CRM 11 and 72crm_ for CRM 9, which has no is_del.
create table `{prefix}admin_user` (
    user_id bigint not null auto_increment primary key,
    username varchar(50),
    password varchar(64),
    salt varchar(32),
    create_time datetime,
    realname varchar(100),
    num varchar(100),
    mobile varchar(20) not null,
    email varchar(50),
    sex int,
    dept_id int,
    post varchar(50),
    status int default 2,
    parent_id bigint default 0,
    last_login_time datetime,
    last_login_ip varchar(30)
) engine = innodb;
create table `{prefix}admin_role` (
    role_id int not null auto_increment primary key,
    role_name varchar(255),
    role_type int,
    remark varchar(100),
    status int default 1,
    data_type int not null default 5,
    is_hidden int not null default 1,
    label int
) engine = innodb;
create table `{prefix}admin_user_role` (
    id int not null auto_increment primary key,
    user_id bigint not null,
    role_id int not null
) engine = innodb;
create table `{prefix}admin_menu` (
    menu_id int unsigned not null auto_increment primary key,
    parent_id int unsigned default 0,
    menu_name varchar(32) default '',
    realm varchar(127) default '',
    realm_url varchar(1024),
    menu_type int,
    sort int unsigned default 0,
    status int default 1,
    remarks varchar(255)
) engine = innodb;
create table `{prefix}admin_role_menu` (
    id int not null auto_increment primary key,
    role_id int not null,
    menu_id int not null
) engine = innodb;
create table `{prefix}admin_dept` (
    dept_id int not null auto_increment primary key,
    pid int default 0,
    name varchar(64) not null,
    num int,
    remark varchar(64) default ''
) engine = innodb;
create table wk_hrm_employee (
    employee_id bigint not null primary key,
    employee_name varchar(255) not null,
    mobile varchar(255),
    id_number varchar(255),
    email varchar(255),
    entry_time datetime,
    become_time datetime,
    job_number varchar(50),
    dept_id bigint,
    parent_id bigint,
    post varchar(255),
    post_level varchar(255),
    employment_forms int,
    status int,
    entry_status int,
    is_del int default 0,
    create_time datetime
) engine = innodb;
create table wk_hrm_employee_quit_info (
    quit_info_id bigint not null primary key,
    employee_id bigint not null,
    plan_quit_time datetime,
    apply_quit_time datetime,
    quit_type int,
    old_status int,
    create_time datetime
) engine = innodb;
create table wk_hrm_dept (
    dept_id bigint not null primary key,
    parent_id bigint default 0,
    dept_type int,
    name varchar(64) not null,
    main_employee_id bigint,
    leader_employee_id bigint
) engine = innodb;
