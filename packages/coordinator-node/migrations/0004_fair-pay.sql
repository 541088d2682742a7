ALTER TABLE "checkpoints" ADD COLUMN "floor" double precision;--> statement-breakpoint
ALTER TABLE "checkpoints" ADD COLUMN "emission_reason" text collate "C";--> statement-breakpoint
ALTER TABLE "leaderboards" ADD COLUMN "period_start" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "leaderboards" ADD COLUMN "round_count" bigint NOT NULL DEFAULT 0;--> statement-breakpoint
ALTER TABLE "leaderboards" ADD COLUMN "worst" jsonb NOT NULL DEFAULT '{"sum": 0, "count": 0}';--> statement-breakpoint
ALTER TABLE "snapshots" ADD COLUMN "round_count" bigint NOT NULL DEFAULT 0;--> statement-breakpoint
ALTER TABLE "snapshots" ADD COLUMN "valid_count" bigint NOT NULL DEFAULT 0;--> statement-breakpoint
ALTER TABLE "snapshots" ADD COLUMN "excused_count" bigint NOT NULL DEFAULT 0;--> statement-breakpoint
ALTER TABLE "snapshots" ADD COLUMN "unasked" jsonb NOT NULL DEFAULT '{"sum": 0, "count": 0}';--> statement-breakpoint
-- What closed before has its counts from the rows. The worst scores of its rounds stay unknown: they are not added to anyone.
UPDATE "snapshots" s SET "valid_count" = c.valid, "excused_count" = c.excused FROM (
	SELECT own.id, count(*) FILTER (WHERE sc.kind = 'valid') AS valid,
		count(*) FILTER (WHERE p.blame = 'coordinator') AS excused
	FROM "snapshots" own
	JOIN "inputs" i ON i.resolvable_at >= own.period_start AND i.resolvable_at < own.period_end AND i.void_reason IS NULL
	JOIN "predictions" p ON p.input_id = i.id AND p.model_id = own.model_id
	LEFT JOIN "scores" sc ON sc.prediction_id = p.id
	GROUP BY own.id
) c WHERE c.id = s.id;--> statement-breakpoint
UPDATE "leaderboards" l SET "period_start" = coalesce(
	(SELECT min(s.period_start) FROM "snapshots" s WHERE s.period_end = l.as_of), l.as_of);--> statement-breakpoint
UPDATE "leaderboards" l SET "round_count" = (
	SELECT count(*) FROM "inputs" i
	WHERE i.resolvable_at >= l.period_start AND i.resolvable_at < l.as_of AND i.void_reason IS NULL
		AND EXISTS (SELECT FROM "predictions" p WHERE p.input_id = i.id));--> statement-breakpoint
UPDATE "leaderboards" SET "entries" = (
	SELECT coalesce(jsonb_agg(jsonb_build_object(
		'unrankedReason', CASE WHEN e->>'rank' IS NULL THEN 'no_data' END, 'validCount', null, 'roundCount', null) || e
		ORDER BY place), '[]')
	FROM jsonb_array_elements("entries") WITH ORDINALITY AS old(e, place));--> statement-breakpoint
-- What was due then were the rounds in which a model had a row.
UPDATE "checkpoints" SET "entries" = (
	SELECT coalesce(jsonb_agg(jsonb_build_object(
		'validCount', e->'answeredCount', 'roundCount', e->'dueCount',
		'coverage', (e->>'answeredCount')::float8 / nullif((e->>'dueCount')::float8, 0),
		'unpaidReason', CASE WHEN (e->>'rewardFrac64')::int8 > 0 THEN null WHEN e->>'rank' IS NULL THEN 'no_answer' ELSE 'no_share' END
		) || e ORDER BY place), '[]')
	FROM jsonb_array_elements("entries") WITH ORDINALITY AS old(e, place));--> statement-breakpoint
UPDATE "snapshots" s SET "round_count" = l."round_count" FROM "leaderboards" l WHERE l.as_of = s.period_end;--> statement-breakpoint
ALTER TABLE "leaderboards" ALTER COLUMN "period_start" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "leaderboards" ALTER COLUMN "round_count" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "leaderboards" ALTER COLUMN "worst" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "snapshots" ALTER COLUMN "round_count" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "snapshots" ALTER COLUMN "valid_count" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "snapshots" ALTER COLUMN "excused_count" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "snapshots" ALTER COLUMN "unasked" DROP DEFAULT;
