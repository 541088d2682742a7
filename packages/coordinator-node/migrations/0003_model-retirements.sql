CREATE TABLE "model_retirements" (
	"model_id" text collate "C" NOT NULL,
	"from_at" timestamp (3) with time zone NOT NULL,
	"until_at" timestamp (3) with time zone,
	"reason" text collate "C" NOT NULL,
	CONSTRAINT "model_retirements_key" PRIMARY KEY("model_id","from_at"),
	CONSTRAINT "model_retirements_span" CHECK ("model_retirements"."until_at" > "model_retirements"."from_at")
);
--> statement-breakpoint
ALTER TABLE "model_retirements" ADD CONSTRAINT "model_retirements_model_id_models_id_fk" FOREIGN KEY ("model_id") REFERENCES "public"."models"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "model_retirements_open" ON "model_retirements" USING btree ("model_id") WHERE until_at is null;