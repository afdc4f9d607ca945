{{ config(enabled=connected("hubspot")) }}

-- Owners by version, by differences between loads. An archived owner is a user who left: inactive, not deleted.
{% set columns = ["user_id", "email", "first_name", "last_name", "teams", "created_at", "archived"] %}

with
    owner_versions as ({{ versions("hubspot", "owners", columns, cursor="updated_at") }}),

    team_entries as ({{ explode_json_list("owner_versions", "teams", ["source_system", "id", "load_seq", "_seq"]) }}),

    main_teams as (
        select
            source_system,
            id,
            load_seq,
            _seq,
            min_by(
                {{ json_text("item", "$.name") }},
                case when {{ json_text("item", "$.primary") }} = 'true' then -1 else position end
            ) as team
        from team_entries
        group by source_system, id, load_seq, _seq
    ),

    named_versions as (
        select
            owner_versions.*,
            false as is_gone,
            cast(null as timestamp) as gone_at,
            nullif(concat_ws(' ', first_name, last_name), '') as name,
            main_teams.team,
            concat_ws(
                '|',
                coalesce(first_name, ''),
                coalesce(last_name, ''),
                coalesce(email, ''),
                coalesce(main_teams.team, ''),
                cast(coalesce(archived, false) as string)
            ) as content
        from owner_versions
        left join
            main_teams
            on owner_versions.source_system = main_teams.source_system
            and owner_versions.id = main_teams.id
            and owner_versions.load_seq = main_teams.load_seq
            and owner_versions._seq = main_teams._seq
    ),

    changes as (
        select *
        from named_versions
        qualify content is distinct from lag(content) over (partition by source_system, id order by load_seq, _seq)
    ),

    dated_changes as (
        select
            changes.*,
            lag(stamp) over (partition by source_system, id order by load_seq, _seq) as stamp_before,
            row_number() over (partition by source_system, id order by load_seq, _seq) as version_number
        from changes
    )

select
    {{ common_columns("owners", created="created_at") }},
    name,
    email,
    team,
    cast(null as string) as department,
    cast(null as string) as manager_key,
    not coalesce(archived, false) as is_active,
    -- A change of team does not move the stamp.
    case
        when version_number = 1
        then coalesce({{ to_utc_timestamp("created_at") }}, stamp, committed_at)
        when stamp > stamp_before
        then stamp
        else committed_at
    end as valid_from,
    cast(null as timestamp) as valid_to
from dated_changes
