-- Rounds that were settled before 0009 have no price for a missing answer. Those whose period is still open get it, or being retired in
-- them would cost nothing: what a missing answer got in the round, otherwise its worst valid score where the contract's policy is the usual
-- one. Where the policy is the author's own function and no answer was missing, SQL cannot tell it: such rounds stay without one.
UPDATE "inputs" SET "missing_value" = "priced"."value" FROM (
	SELECT "ranked"."input_id", coalesce(
		max("ranked"."value") FILTER (WHERE "ranked"."kind" = 'imputed'),
		CASE WHEN "ranked"."policy" IS NOT NULL THEN NULL
			WHEN "ranked"."direction" = 'asc' THEN max("ranked"."value") FILTER (WHERE "ranked"."kind" = 'valid')
			ELSE min("ranked"."value") FILTER (WHERE "ranked"."kind" = 'valid') END
	) AS "value"
	FROM (
		SELECT "predictions"."input_id", "scores"."kind", "eras"."structure" #>> '{prediction,missing}' AS "policy",
			"eras"."structure" #>> '{leaderboard,direction}' AS "direction",
			CASE WHEN jsonb_typeof("scores"."value" -> ("eras"."structure" #>> '{leaderboard,value}')) = 'number'
				THEN ("scores"."value" ->> ("eras"."structure" #>> '{leaderboard,value}'))::double precision END AS "value"
		FROM "inputs" "round"
			JOIN "eras" ON "eras"."number" = "round"."era"
			JOIN "predictions" ON "predictions"."input_id" = "round"."id"
			JOIN "scores" ON "scores"."prediction_id" = "predictions"."id"
		WHERE "round"."status" = 'RESOLVED' AND "round"."void_reason" IS NULL AND "round"."missing_value" IS NULL
			AND "round"."resolvable_at" >= coalesce((SELECT max("as_of") FROM "leaderboards"), '-infinity')
	) "ranked"
	GROUP BY "ranked"."input_id", "ranked"."policy", "ranked"."direction"
) "priced"
WHERE "inputs"."id" = "priced"."input_id" AND "priced"."value" IS NOT NULL;
