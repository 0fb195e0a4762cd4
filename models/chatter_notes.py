"""Notes in the chatters of many records at once."""

from odoo.tools import SQL, generate_tracking_message_id


def add_notes(env, model, bodies):
    """Add a note to the chatter of each record, as ``_message_log_batch`` does, in one statement: that takes longer for
    a note than all else that a message of the night needs.

    Their author tells whose they are: users besides would be two more look-ups of a foreign key for each row.

    :param bodies: ``{record id: HTML}``; whatever a person wrote in it is escaped
    """
    author = env.user.partner_id
    env.cr.execute(
        SQL(
            """INSERT INTO mail_message (model, res_id, body, message_type, subtype_id, is_internal, author_id,
                      email_from, message_id, email_add_signature, date, create_date, write_date)
               SELECT %(model)s, given.res_id, given.body, 'notification', %(note)s, TRUE, %(author)s,
                      %(email)s, %(message_id)s, FALSE, now() AT TIME ZONE 'UTC',
                      now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
                 FROM unnest(%(ids)s::int[], %(bodies)s::text[]) AS given(res_id, body)""",
            model=model,
            note=env["ir.model.data"]._xmlid_to_res_id("mail.mt_note"),
            author=author.id,
            email=author.sudo().email_formatted or None,
            message_id=generate_tracking_message_id("message-notify"),
            ids=list(bodies),
            bodies=list(map(str, bodies.values())),
        )
    )
    env[model].browse(bodies).invalidate_recordset(["message_ids"], flush=False)
