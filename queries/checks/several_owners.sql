/*
id       = "several_owners"
family   = "shared"
severity = "high"
subject  = "account"
controls = ["SOC2:CC6.1", "ISO27001:A.5.16", "ISO27001:A.5.17", "ISO27001:A.8.5", "PCI:8.2.1", "PCI:8.2.2", "NIST:AC-2(9)", "NIST:IA-2", "NIST:IA-4", "MLPS:8.1.4.1a", "MLPS:8.1.4.2c", "NIS2:11.5.2b", "NIS2:11.5.3"]

[title]
en = "Accounts that more than one person answers for"
zh = "一个账号或一个联系方式对应多人"

[question]
en = "Do the telephone, e-mail and employee number of every account belong to one person alone?"
zh = "每个账号的手机号、邮箱和工号是否只属于同一个人？"

[population]
en = "Enabled accounts."
zh = "启用的账号。"

[remediation]
en = "Ask both people who really uses the account. Correct the telephone, e-mail or number at the source, or give the second person an account of their own and change the password."
zh = "向相关人员核实实际使用者；更正来源中的手机号、邮箱或工号，或为另一人开通个人账号并更换密码。"

[parameters]

[columns.login]
en = "Login"
zh = "登录名"
[columns.account_name]
en = "Account name"
zh = "账号名称"
[columns.department_name]
en = "Department"
zh = "部门"
[columns.phone]
en = "Telephone"
zh = "手机号"
[columns.email]
en = "E-mail"
zh = "邮箱"
[columns.other_login]
en = "Other login"
zh = "另一账号"
[columns.other_name]
en = "Other name"
zh = "另一人"
[columns.account_count]
en = "Accounts with it"
zh = "涉及账号数"
[columns.people_named]
en = "People its keys name"
zh = "关键信息指向的人员"

[reasons.shared_phone]
en = "{login} ({display_name}) and {other_login} ({other_name}) bear one telephone number, {phone}, which stands on {account_count} accounts of this system."
zh = "账号{login}（{display_name}）与{other_login}（{other_name}）登记了同一手机号{phone}，本系统共有{account_count}个账号使用该号码。"
[reasons.shared_email]
en = "{login} ({display_name}) and {other_login} ({other_name}) bear one e-mail address, {email}, which stands on {account_count} accounts of this system."
zh = "账号{login}（{display_name}）与{other_login}（{other_name}）登记了同一邮箱{email}，本系统共有{account_count}个账号使用该邮箱。"
[reasons.keys_disagree]
en = "The employee number, e-mail and telephone of {login} name different people: {people_named}."
zh = "账号{login}的工号、邮箱、手机号分别指向不同的人：{people_named}。"
[reasons.one_person]
en = "What {login} states of its user belongs to nobody else's account in this system."
zh = "账号{login}登记的信息在本系统中未与他人账号重复。"
[reasons.contact_details]
en = "{login} belongs to a program or came with the system: its telephone and e-mail are a contact, not a user."
zh = "{login}为服务或系统内置账号，其手机号和邮箱仅为联系方式，不代表使用者。"
[reasons.no_keys]
en = "The source tells no telephone, e-mail or employee number for {login}, so sharing cannot be tested."
zh = "来源未提供账号{login}的手机号、邮箱或工号，无法判断。"
*/
-- Telephones are compared by their digits without +86 and trunk zero, as owners are
-- matched. What stands in a service or built-in account is a contact: not compared.
with tested as (
    select
        account_people.*,
        accounts.employee_number,
        account_people.account_type in ('service', 'builtin') as is_impersonal,
        lower(trim(account_people.account_name)) as compared_name,
        regexp_replace(
            translate(account_people.phone, '０１２３４５６７８９＋', '0123456789+'),
            '[^0-9+]',
            '',
            'g'
        ) as dialled
    from snapshot.account_people
    inner join snapshot.accounts
        on account_people.account_id = accounts.account_id
    where account_people.is_enabled
),

contacts as (
    select
        tested.account_id,
        tested.source,
        tested.identity_id,
        tested.compared_name,
        'email' as kind,
        lower(trim(tested.email)) as compared
    from tested
    where not tested.is_impersonal and trim(tested.email) <> ''
    union all
    select
        tested.account_id,
        tested.source,
        tested.identity_id,
        tested.compared_name,
        'phone' as kind,
        ltrim(
            replace(
                regexp_replace(
                    regexp_replace(tested.dialled, '^(\+|00)86', ''),
                    '^86(1[0-9]{10})$',
                    '\1'
                ),
                '+',
                ''
            ),
            '0'
        ) as compared
    from tested
    where not tested.is_impersonal
),

-- Nearly every value stands once: what follows concerns the few that do not.
repeated_values as (
    select
        contacts.source,
        contacts.kind,
        contacts.compared,
        count(*) as account_count
    from contacts
    -- Fewer digits are an extension or a filler and name nobody.
    where contacts.kind = 'email' or length(contacts.compared) >= 7
    group by contacts.source, contacts.kind, contacts.compared
    having count(*) > 1
),

bearers as (
    select
        contacts.*,
        repeated_values.account_count,
        case
            when contacts.identity_id is not null
                then row(contacts.identity_id, contacts.account_id)
        end as owned,
        case
            when contacts.identity_id is null and contacts.compared_name is not null
                then row(contacts.compared_name, contacts.account_id)
        end as unowned,
        case
            when contacts.compared_name is not null
                then row(contacts.compared_name, contacts.account_id)
        end as named
    from contacts
    inner join repeated_values
        on
            contacts.source = repeated_values.source
            and contacts.kind = repeated_values.kind
            and contacts.compared = repeated_values.compared
),

-- Whoever differs from anybody differs from the first or from the last: one grouping
-- finds every account an example, however many bear the value.
shared_values as (
    select
        bearers.source,
        bearers.kind,
        bearers.compared,
        min(bearers.owned) as first_owned,
        max(bearers.owned) as last_owned,
        min(bearers.unowned) as first_unowned,
        max(bearers.unowned) as last_unowned,
        min(bearers.named) as first_named,
        max(bearers.named) as last_named
    from bearers
    group by bearers.source, bearers.kind, bearers.compared
),

sharing as (
    select
        bearers.account_id,
        bearers.kind,
        bearers.account_count,
        case
            when
                bearers.identity_id is null
                and shared_values.first_named[1] <> bearers.compared_name
                then shared_values.first_named[2]
            when
                bearers.identity_id is null
                and shared_values.last_named[1] <> bearers.compared_name
                then shared_values.last_named[2]
            when shared_values.first_owned[1] <> bearers.identity_id
                then shared_values.first_owned[2]
            when shared_values.last_owned[1] <> bearers.identity_id
                then shared_values.last_owned[2]
            when
                bearers.identity_id is not null
                and shared_values.first_unowned[1] <> bearers.compared_name
                then shared_values.first_unowned[2]
            when
                bearers.identity_id is not null
                and shared_values.last_unowned[1] <> bearers.compared_name
                then shared_values.last_unowned[2]
        end as other_account_id
    from bearers
    inner join shared_values
        on
            bearers.source = shared_values.source
            and bearers.kind = shared_values.kind
            and bearers.compared = shared_values.compared
),

-- The telephone comes before the e-mail where both are shared.
first_shared as (
    select
        sharing.account_id,
        max(sharing.kind) as kind,
        max(row(sharing.kind, sharing.account_count))[2] as account_count,
        max(row(sharing.kind, sharing.other_account_id))[2] as other_account_id
    from sharing
    where sharing.other_account_id is not null
    group by sharing.account_id
),

named_people as (
    select
        owner_claims.account_id,
        count(distinct owner_claims.identity_id) as people_count,
        string_agg(
            distinct coalesce(identities.display_name, owner_claims.identity_id), ', '
            order by coalesce(identities.display_name, owner_claims.identity_id)
        ) as people_named
    from snapshot.owner_claims
    left join snapshot.identities
        on owner_claims.identity_id = identities.identity_id
    group by owner_claims.account_id
)

select
    tested.account_id as subject_id,
    tested.source,
    tested.account_id,
    tested.identity_id,
    tested.department_id,
    tested.display_name,
    tested.login,
    tested.account_name,
    tested.department_name,
    tested.phone,
    tested.email,
    other_people.login as other_login,
    other_people.display_name as other_name,
    first_shared.account_count,
    named_people.people_named,
    case
        when first_shared.kind is not null or named_people.people_count > 1 then 'fail'
        when coalesce(tested.phone, tested.email, tested.employee_number) is null
            then 'unknown'
        else 'pass'
    end as status,
    case
        when first_shared.kind = 'phone' then 'shared_phone'
        when first_shared.kind = 'email' then 'shared_email'
        when named_people.people_count > 1 then 'keys_disagree'
        when coalesce(tested.phone, tested.email, tested.employee_number) is null
            then 'no_keys'
        when tested.is_impersonal then 'contact_details'
        else 'one_person'
    end as reason

from tested
left join first_shared
    on tested.account_id = first_shared.account_id
left join snapshot.account_people as other_people
    on first_shared.other_account_id = other_people.account_id
left join named_people
    on tested.account_id = named_people.account_id

order by tested.source, tested.login nulls last, tested.account_id
