-- Takes a database of the version at hand back to what 1.0.0 had, so that the update can be tested: see test_upgrade.py.
-- Whatever came since is found by itself: only what 1.0.0 had and what is gone since is named here.

-- === Gone since === --

ALTER TABLE collection_level ADD COLUMN channel varchar, ADD COLUMN fallback_channel varchar;
UPDATE collection_level level
   SET channel = ways.channels[1], fallback_channel = ways.channels[2]
  FROM (SELECT level_id, array_agg(channel ORDER BY sequence, id) AS channels
          FROM collection_level_channel GROUP BY level_id) ways
 WHERE ways.level_id = level.id;
ALTER TABLE collection_level ALTER channel SET NOT NULL;

WITH added AS (
    INSERT INTO ir_model_fields (name, model, model_id, field_description, ttype, state, store)
    SELECT gone.name, field.model, field.model_id, field.field_description, gone.ttype, 'base', TRUE
      FROM (VALUES ('collection.level', 'channel', 'selection'), ('collection.level', 'fallback_channel', 'selection'))
           AS gone(model, name, ttype)
      JOIN ir_model_fields field ON field.model = gone.model AND field.name = 'id'
    RETURNING id, model, name)
INSERT INTO ir_model_data (module, name, model, res_id, noupdate)
SELECT 'account_collection', 'field_' || replace(model, '.', '_') || '__' || name, 'ir.model.fields', id, FALSE
  FROM added;

INSERT INTO mail_followers (res_model, res_id, partner_id)
SELECT 'collection.debtor', debtor.id, person.partner_id FROM collection_debtor debtor, res_users person WHERE person.id = 2
    ON CONFLICT DO NOTHING;
CREATE INDEX collection_debtor__partner_id_index ON collection_debtor (partner_id);
CREATE INDEX collection_debtor__company_id_index ON collection_debtor (company_id);
CREATE INDEX collection_debtor__level_id_index ON collection_debtor (level_id);

-- === Come since === --

CREATE TEMPORARY TABLE previous (model, fields) AS
VALUES
    ('account.move', '{collection_no_dun,collection_no_dun_reason,collection_no_dun_until}'::text[]),
    ('res.company', '{collection_bucket_1,collection_bucket_2,collection_bucket_3,collection_policy_id,collection_responsible_id,collection_sender,collection_tolerance}'),
    ('res.partner', '{collection_contact}'),
    ('collection.debtor', '{bcc_partner_ids,bucket_1,bucket_2,bucket_3,bucket_4,cc_partner_ids,collector_id,company_id,days_overdue,excluded,hold,hold_reason,hold_until,last_contact_date,last_payment_date,level_id,not_due,oldest_due_date,overdue,overdue_count,partner_id,policy_id,total_due,unallocated}'),
    ('collection.debtor.balance', '{currency_id,debtor_id,not_due,overdue,total_due,unallocated}'),
    ('collection.debtor.touch', '{company_id,partner_id}'),
    ('collection.level', '{activity_delay,activity_type_id,attach_invoices,attach_statement,channel,day_from,day_to,fallback_channel,minimum_amount,name,policy_id,recurrence,sequence,template_id,tone}'),
    ('collection.notice', '{amount,amount_overdue,attachment_id,channel,company_id,date,days_overdue,debtor_id,dedupe_key,email_to,fallback_of_id,level_id,mail_id,message_id,next_try,partner_id,reason,run_id,sent_on,state,tries}'),
    ('collection.notice.line', '{amount,company_amount,currency_id,days,due_date,level_id,move_id,move_line_id,notice_id,told_on}'),
    ('collection.policy', '{active,company_id,name,partner_tag_ids,requires_approval,sequence}'),
    ('collection.run', '{approved_by_id,approved_on,company_id,date,kind,remark,state}'),
    ('collection.statement.wizard', '{as_of,debtor_ids}');

DO $$
DECLARE
    came record;
BEGIN
    FOR came IN
        SELECT field.id, field.name, field.ttype, field.relation_table, replace(field.model, '.', '_') AS holder
          FROM ir_model_fields field
          JOIN ir_model_data known ON known.model = 'ir.model.fields' AND known.res_id = field.id
         WHERE known.module = 'account_collection' AND field.store AND field.ttype <> 'one2many'
           AND field.name NOT IN ('id', 'create_uid', 'create_date', 'write_uid', 'write_date')
           AND NOT EXISTS (SELECT 1 FROM previous
                            WHERE previous.model = field.model AND field.name = ANY(previous.fields))
    LOOP
        IF came.ttype = 'many2many' THEN
            EXECUTE format('DROP TABLE IF EXISTS %I CASCADE', came.relation_table);
        ELSE
            EXECUTE format('ALTER TABLE IF EXISTS %I DROP COLUMN IF EXISTS %I CASCADE', came.holder, came.name);
        END IF;
        DELETE FROM ir_model_fields WHERE id = came.id;
    END LOOP;

    FOR came IN
        SELECT model.id, replace(model.model, '.', '_') AS holder
          FROM ir_model model
         WHERE model.model LIKE 'collection.%' AND NOT EXISTS (SELECT 1 FROM previous WHERE previous.model = model.model)
           AND to_regclass(replace(model.model, '.', '_')) IS NOT NULL
    LOOP
        EXECUTE format('DROP TABLE %I CASCADE', came.holder);
        DELETE FROM ir_cron job USING ir_act_server work
         WHERE work.id = job.ir_actions_server_id AND work.model_id = came.id;
        DELETE FROM ir_model WHERE id = came.id;
    END LOOP;

    -- The names of what went by itself with its field or model.
    FOR came IN
        SELECT * FROM (VALUES ('ir.model'), ('ir.model.fields'), ('ir.model.fields.selection'), ('ir.model.constraint'),
                              ('ir.model.access'), ('ir.rule'), ('ir.cron')) AS kind(model)
    LOOP
        EXECUTE format('DELETE FROM ir_model_data WHERE module = ''account_collection'' AND model = %L
                        AND NOT EXISTS (SELECT 1 FROM %I record WHERE record.id = ir_model_data.res_id)',
                       came.model, replace(came.model, '.', '_'));
    END LOOP;
END $$;
DELETE FROM ir_model_data WHERE module = 'account_collection' AND model = 'ir.actions.server'
    AND NOT EXISTS (SELECT 1 FROM ir_act_server work WHERE work.id = ir_model_data.res_id);
DROP TABLE previous;

UPDATE ir_module_module SET latest_version = split_part(latest_version, '.', 1) || '.0.1.0.0'
 WHERE name = 'account_collection';
