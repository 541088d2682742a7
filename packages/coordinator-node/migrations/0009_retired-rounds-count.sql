ALTER TABLE "inputs" ADD COLUMN "missing_value" double precision;--> statement-breakpoint
ALTER TABLE "leaderboards" ADD COLUMN "missing" jsonb NOT NULL DEFAULT '{"sum": 0, "count": 0}';--> statement-breakpoint
-- What closed before keeps the rule that it was closed by: no model had registered by then.
ALTER TABLE "leaderboards" ADD COLUMN "first_performed_at" timestamp (3) with time zone NOT NULL DEFAULT 'epoch';--> statement-breakpoint
ALTER TABLE "snapshots" ADD COLUMN "missed" jsonb NOT NULL DEFAULT '{"sum": 0, "count": 0}';--> statement-breakpoint
ALTER TABLE "leaderboards" ALTER COLUMN "missing" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "leaderboards" ALTER COLUMN "first_performed_at" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "snapshots" ALTER COLUMN "missed" DROP DEFAULT;
