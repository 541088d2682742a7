-- The ids of predictions and scores follow from the round and the model. A table made anew is smaller than one whose rows were all changed.
CREATE TABLE "short_scores" AS SELECT "predictions"."input_id", "predictions"."model_id", "scores"."kind", "scores"."value",
	"scores"."reason", "scores"."signal", "scores"."actual", "scores"."scored_at", "scores"."contract_version"
	FROM "scores" JOIN "predictions" ON "predictions"."id" = "scores"."prediction_id";--> statement-breakpoint
DROP TABLE "scores";--> statement-breakpoint
ALTER TABLE "short_scores" RENAME TO "scores";--> statement-breakpoint
ALTER TABLE "scores" ALTER COLUMN "input_id" SET NOT NULL, ALTER COLUMN "model_id" SET NOT NULL, ALTER COLUMN "kind" SET NOT NULL,
	ALTER COLUMN "scored_at" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "scores" ADD CONSTRAINT "scores_kind" CHECK ("scores"."kind" in ('valid', 'imputed', 'failed'));--> statement-breakpoint
ALTER TABLE "scores" ADD CONSTRAINT "scores_key" PRIMARY KEY("input_id","model_id");--> statement-breakpoint
ALTER TABLE "scores" ADD CONSTRAINT "scores_prediction" FOREIGN KEY ("input_id","model_id") REFERENCES "public"."predictions"("input_id","model_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
DROP INDEX "predictions_performed";--> statement-breakpoint
DROP INDEX "predictions_of_model";--> statement-breakpoint
CREATE INDEX "predictions_performed" ON "predictions" USING btree ("performed_at");--> statement-breakpoint
CREATE INDEX "predictions_of_model" ON "predictions" USING btree ("model_id","performed_at");--> statement-breakpoint
ALTER TABLE "predictions" DROP COLUMN "id";
