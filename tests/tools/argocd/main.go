// Command argocd is what of Argo CD makes and keeps an Application, in one binary: the application controller, the repository
// server, and what answers git when that asks for a password. Which of them runs is in the name it is called by.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	askpass "github.com/argoproj/argo-cd/v3/cmd/argocd-git-ask-pass/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/argoproj/argo-cd/v3/common"
	"github.com/spf13/cobra"
)

func main() {
	commands := map[string]func() *cobra.Command{
		common.CommandApplicationController: controller.NewCommand,
		common.CommandRepoServer:            reposerver.NewCommand,
		common.CommandGitAskPass:            askpass.NewCommand,
	}
	name := filepath.Base(os.Args[0])
	command, ok := commands[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "there is no command %q\n", name)
		os.Exit(2)
	}
	if command().Execute() != nil {
		os.Exit(1)
	}
}
