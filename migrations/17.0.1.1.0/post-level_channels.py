"""The channel and the fallback channel of a level become rows of its list of channels."""


def migrate(cr, version):
    cr.execute(
        """INSERT INTO collection_level_channel (level_id, sequence, channel, create_uid, create_date, write_uid,
                  write_date)
           SELECT level.id, way.sequence, way.channel, level.create_uid, level.create_date, level.write_uid,
                  level.write_date
             FROM collection_level level,
                  LATERAL (VALUES (10, level.channel), (20, NULLIF(level.fallback_channel, level.channel)))
                       AS way(sequence, channel)
            WHERE way.channel IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM collection_level_channel present WHERE present.level_id = level.id)
            ORDER BY level.id, way.sequence"""
    )
