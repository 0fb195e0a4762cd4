"""What waits for who answers for a company's collections."""


def ask_responsible(record, activity, text):
    """Schedule an activity on a record for the responsible of its company, where there is one.

    Quickly: the activity says it, and a mail about it would be one more.

    :param activity: external id of an activity type
    """
    responsible = record.company_id.collection_responsible_id
    if responsible:
        record.with_context(mail_activity_quick_update=True).activity_schedule(
            activity, user_id=responsible.id, summary=text
        )
