// Runs code in a new kernel over gRPC and prints its output as it comes.
//
//	buf generate && go build
//	PERIJOVE_KERNELS=unix:/... PERIJOVE_TOKEN=... ./go-execute 'print(6 * 7)'
//
// The target and the token are those that `perijove up` prints.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	pb "example.com/go-execute/gen/perijove/kernels/v1"
)

func main() {
	conn := must(grpc.NewClient(os.Getenv("PERIJOVE_KERNELS"), grpc.WithTransportCredentials(insecure.NewCredentials())))
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+os.Getenv("PERIJOVE_TOKEN"))
	kernels := pb.NewKernelsServiceClient(conn)
	kernelID := must(kernels.StartKernel(ctx, &pb.StartKernelRequest{})).Kernel.KernelId
	defer kernels.ShutdownKernel(ctx, &pb.ShutdownKernelRequest{KernelId: kernelID})

	stream := must(pb.NewExecutionServiceClient(conn).Execute(ctx))
	execution := &pb.Execution{KernelId: kernelID, RequestId: "go-1", Code: os.Args[1]}
	stream.Send(&pb.ExecuteRequest{Payload: &pb.ExecuteRequest_Execution{Execution: execution}})
	for {
		response := must(stream.Recv())
		switch {
		case response.GetStream() != nil:
			fmt.Print(response.GetStream().Text)
		case response.GetError() != nil:
			fmt.Fprintln(os.Stderr, response.GetError().Name+":", response.GetError().Value)
		case response.GetFinished() != nil:
			return
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
