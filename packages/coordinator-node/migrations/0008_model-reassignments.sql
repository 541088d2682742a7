CREATE TABLE "model_reassignments" (
	"model_id" text collate "C" NOT NULL,
	"number" integer NOT NULL,
	"cruncher_id" text collate "C" NOT NULL,
	"recorded_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "model_reassignments_key" PRIMARY KEY("model_id","number")
);
--> statement-breakpoint
ALTER TABLE "model_reassignments" ADD CONSTRAINT "model_reassignments_model_id_models_id_fk" FOREIGN KEY ("model_id") REFERENCES "public"."models"("id") ON DELETE no action ON UPDATE no action;