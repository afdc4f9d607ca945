{{ config(enabled=connected("marketo")) }}

-- Companies as their leads carry them, one row an id: the CRM account's where the CRM's sync fills it, else the
-- external
-- company id. The lead that changed last speaks for its company. A company that is known by its typed name alone is no
-- record: it stays the company name of the person.
{% set company_id = "coalesce(nullif(sfdc_account_id, ''), nullif(external_company_id, ''))" %}
{% set columns = [
    "created_at",
    "company",
    "website",
    "industry",
    "number_of_employees",
    "main_phone",
    "corporate_number",
    "billing_street",
    "billing_city",
    "billing_state",
    "billing_postal_code",
    "billing_country",
    "external_company_id",
    "sfdc_account_id",
] %}
{# Every lead of a company of which one came in the new loads. #}
{% set colleagues %}
    select every_lead.source_system, every_lead.id as touched_key
    from ({{ versions("marketo", "leads", ["sfdc_account_id", "external_company_id"], restrict=false) }}) as every_lead
    inner join
        (
            select distinct new_lead.source_system, {{ company_id }} as company_id
            from ({{ versions("marketo", "leads", ["sfdc_account_id", "external_company_id"]) }}) as new_lead
            where {{ company_id }} is not null
        ) as touched_companies
        on every_lead.source_system = touched_companies.source_system
        and {{ company_id }} = touched_companies.company_id
{% endset %}

with
    leads as ({{ latest("marketo", "leads", columns, cursor="updated_at", also_touched=[colleagues]) }}),

    of_companies as (
        select
            source_system,
            vendor,
            {{ company_id }} as company_id,
            company,
            website,
            industry,
            number_of_employees,
            main_phone,
            corporate_number,
            billing_street,
            billing_city,
            billing_state,
            billing_postal_code,
            billing_country,
            stamp,
            committed_at,
            load_id,
            '{}' as extra_columns,
            min(created_at) over same_company as created_at,
            min(case when is_gone then 1 else 0 end) over same_company = 1 as is_gone,
            max(gone_at) over same_company as gone_at,
            max(load_seq) over same_company as load_seq,
            row_number() over (
                partition by source_system, {{ company_id }}
                order by case when is_gone then 1 else 0 end, stamp desc nulls last, id
            ) as place
        from leads
        where {{ company_id }} is not null
        window same_company as (partition by source_system, {{ company_id }})
    ),

    companies as (select * from of_companies where place = 1)

select
    {{ common_columns("companies", source_id="company_id", created="created_at") }},
    company as name,
    lower(cast(website as string)) as domain,
    website,
    main_phone as phone,
    corporate_number,
    cast(null as string) as parent_key,
    industry,
    number_of_employees as employee_count,
    billing_country as country,
    billing_state as region,
    billing_city as city,
    billing_postal_code as postal_code,
    billing_street as street,
    cast(null as string) as account_type,
    cast(null as string) as owner_key
from companies
